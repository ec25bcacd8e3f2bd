"""What is promised about time and answers, and how often it was broken of late, by what counters grew. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from services.ops.core.series import labels_of

_SERVED = "http_server_request_duration_seconds_count{"
PROBES = ("/healthz", "/readyz")
"""Whoever watches asks them every few seconds; what they answer stands in the tiles."""
FAST = 14.4
"""The burn rate that is worth waking somebody: two hours of it use up a twelfth of a month's budget."""
FEW = 3
"""One late report or one failed request is no trend."""
FAILED_SHARE = 0.01


@dataclass(frozen=True)
class Objective:
    """`histogram` in seconds must lie within `seconds` for a share of `target`; `id` and `en` name those that do not."""

    name: str
    histogram: str
    seconds: int
    target: float
    says: str
    id: str
    en: str


OBJECTIVES = (
    Objective(
        "RoutingSlow",
        "netral_report_routed_age_seconds",
        10,
        0.999,
        "Reports are decided within 10 s",
        "laporan diputus lebih dari 10 detik setelah diterima",
        "reports were decided more than 10 s after acceptance",
    ),
    Objective(
        "OfferedLate",
        "netral_delivery_age_seconds",
        60,
        0.999,
        "Agencies are offered their part within 60 s",
        "bagian lembaga diteruskan lebih dari 60 detik setelah laporan diterima",
        "agencies' parts were offered more than 60 s after acceptance",
    ),
    Objective(
        "MailLate",
        "netral_mail_age_seconds",
        300,
        0.99,
        "Mails leave within 5 min",
        "surel berangkat lebih dari 5 menit setelah waktunya",
        "mails left more than 5 min after they were due",
    ),
)


@dataclass(frozen=True)
class Share:
    """`part` of `whole` of something in the time that is remembered."""

    part: int
    whole: int

    def over(self, share: float) -> bool:
        """Whether it is more than `share`, and no accident."""
        return self.part >= FEW and self.part > share * self.whole


def late(grown: Mapping[str, float], objective: Objective) -> Share:
    """How many events came later than the objective allows."""
    name = objective.histogram
    whole = sum(v for s, v in grown.items() if s.startswith(name + "_count{"))
    buckets = ((labels_of(s)["le"], v) for s, v in grown.items() if s.startswith(name + "_bucket{"))
    in_time = sum(v for bound, v in buckets if float(bound) == objective.seconds)
    return Share(round(whole - in_time), round(whole))


def failed(grown: Mapping[str, float]) -> dict[str, Share]:
    """For each route of a door: how many requests were answered with 5xx."""
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for series, value in grown.items():
        labels = labels_of(series) if series.startswith(_SERVED) else {}
        if (route := labels.get("http_route", "")) and route not in PROBES:
            found[route][0] += value if labels.get("http_response_status_code", "").startswith("5") else 0.0
            found[route][1] += value
    return {route: Share(round(bad), round(whole)) for route, (bad, whole) in sorted(found.items())}
