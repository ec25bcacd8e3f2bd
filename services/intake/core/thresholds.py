"""What makes two reports alike enough to ask a person, as numbers and lists that can be changed without code."""

from typing import NamedTuple

from contracts.codes import Act


class Thresholds(NamedTuple):
    """A pair is offered from `offered` on; the score is the sum of the weights, each times how alike it is, at most 1."""

    offered: float = 0.7
    person: float = 0.45
    place: float = 0.15
    day: float = 0.2
    act: float = 0.2
    evidence: float = 0.25
    """Added for a shared file: one viral video is reported with other days and places."""

    name_alike: float = 0.8
    """From here on two names may be one person's."""
    name_same: float = 0.995
    nip_slips: int = 2
    """Digits that may differ between two numbers that are still compared by name."""
    post_alike: float = 0.9
    """From here on two posts, written as free text, are one post."""
    person_by_post: float = 0.65
    person_unnamed: float = 0.3
    """How much a person counts that is known by the written post, or by the status alone."""
    person_least: float = 0.25

    days: tuple[float, ...] = (1.0, 0.8, 0.5, 0.5)
    """How alike two days are that lie 0, 1, 2, … days apart; more days apart only a shared file is looked at."""
    province: float = 0.5
    kind_of_act: float = 0.6

    cluster: float = 0.1
    """Of reports this close to the best score that are alike among themselves only the oldest is offered."""
    most: int = 3
    """Other events offered for one report."""
    compared: int = 40
    """Cases a report is compared with, those that share most keys first."""
    per_key: int = 20
    """Cases taken from one key, the oldest first: a burst of near copies meets the first of them, and costs no more."""


THRESHOLDS = Thresholds()

KINDS_OF_ACT: tuple[frozenset[Act], ...] = (
    frozenset({Act.SOCIAL_MEDIA_CAMPAIGN, Act.SOCIAL_MEDIA_ENGAGEMENT, Act.DISPLAY_MATERIAL}),
    frozenset(
        {
            Act.ATTEND_DECLARATION,
            Act.PHOTO_WITH_CANDIDATE,
            Act.JOIN_CAMPAIGN,
            Act.SPOUSE_CAMPAIGN,
            Act.PARTISAN_ACTIVITY,
            Act.MOBILISE_STAFF,
        }
    ),
    frozenset({Act.APPROACH_PARTY, Act.PARTY_MEMBERSHIP, Act.CAMPAIGN_TEAM, Act.SUPPORT_LETTER}),
    frozenset(
        {
            Act.FAVOURING_DECISION,
            Act.STATE_FACILITIES,
            Act.MOBILISE_STAFF,
            Act.ROTATE_OFFICIALS,
            Act.IGNORE_RECOMMENDATION,
        }
    ),
)
"""Acts that two witnesses of one event may call differently."""
EVERY_ACT_ALIKE = Act.OTHER
"""Says nothing about the act, so it is of every kind."""
