"""The facts a rule may ask about, each with its closed list of values. The proof covers exactly this space."""

from contracts.codes import (
    Act,
    Beneficiary,
    Channel,
    ElectionKind,
    ElectionOffice,
    EmployerKind,
    Post,
    PostKind,
    Stage,
    Status,
    Track,
)

FACTS: dict[str, tuple[str, ...]] = {
    "election": tuple(ElectionKind),
    "election_office": (*ElectionOffice, "UNKNOWN"),
    "status": tuple(Status),
    "post": tuple(Post),
    "post_kind": tuple(PostKind),
    "employer": tuple(EmployerKind),
    "act": tuple(Act),
    "beneficiary": tuple(Beneficiary),
    "stage": tuple(Stage),
    "channel": (*Channel, "UNKNOWN"),
    "numbered": ("YES", "NO"),
    "identity": ("VERIFIED", "DOUBTFUL"),
    "track": tuple(Track),
    "late": ("YES", "NO"),
    "home": ("SAME", "ELSEWHERE", "UNKNOWN"),
    "national": ("YES", "NO"),
    "rotation_window": ("IN", "OUT"),
    "file": ("NONE", "RECEIVED_BY_KASN", "PROCESSED_BY_KASN"),
    "received_by": ("BAWASLU_RI", "UNKNOWN"),
}
"""Fact name to its values, in the order of a situation's tuple."""

NAMES = tuple(FACTS)
INDEX = {name: number for number, name in enumerate(NAMES)}

OFFICES = ("PLACE", "HOME", "CENTRE", "EMPLOYER", "WORKPLACE", "REGIONAL", "UNSTATED")
"""How a rule names an office: of the event, of the person's home, `pusat`, the employer's, where the unit sits, the
regional office of BKN, or not stated by any source."""

Situation = tuple[str, ...]
"""One person and one act as fact values, in the order of `NAMES`."""
