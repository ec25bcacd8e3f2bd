"""The Prometheus rules: objectives with burn rates over several windows, and the alerts that the ops page also knows.

Every alert carries a severity (`page`: now; `ticket`: this week) and the runbook of its name in docs/runbooks.
"""

from dataclasses import dataclass
from typing import Any

from services.ops.core.objectives import FAILED_SHARE, FAST, FEW, OBJECTIVES, PROBES, Objective

RUNBOOKS = "docs/runbooks"
LEAST = 20
"""Events below which a burn rate says nothing: one slow report of three is no trend."""
_AMONG = {"page": "1h", "ticket": "3d"}
"""The time within which there must be so many: fifteen reports a day may burn a budget, but they wake nobody."""
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_BURNS = (
    ("page", FAST, "1h", "5m"),
    ("page", 6.0, "6h", "30m"),
    ("ticket", 3.0, "1d", "2h"),
    ("ticket", 1.0, "3d", "6h"),
)
"""Severity, burn rate, long and short window, as the site reliability workbook has them for a budget of thirty days."""


@dataclass(frozen=True)
class Alert:
    """`lasting` is how long the expression must hold before it fires."""

    name: str
    severity: str
    expr: str
    lasting: str
    says: str


FIVES = ',http_response_status_code=~"5.."'


def _answers(function: str, also: str = "") -> str:
    """Answers of each route over ten minutes; probes come every few seconds and would hide what few people are told."""
    series = f"""http_server_request_duration_seconds_count{{http_route!~"{"|".join(PROBES)}"{also}}}"""
    return f"sum by (job, http_route) ({function}({series}[10m]))"


ALERTS = (
    Alert(
        "ServiceNotReady",
        "page",
        "netral_service_ready == 0",
        "1m",
        "{{ $labels.netral_service }} is not ready",
    ),
    Alert("BrokerAway", "page", "netral_broker_up == 0", "30s", "The broker does not answer"),
    Alert(
        "BrokerAway",
        "ticket",
        "netral_broker_servers_away > 0",
        "2m",
        "Some servers of the broker do not answer; the others go on",
    ),
    Alert(
        "BrokerUnwell",
        "page",
        "netral_broker_servers_unwell > 0",
        "1m",
        "A server of the broker answers and is not well: it may refuse to store until it is restarted",
    ),
    Alert(
        "JetStreamStorage",
        "page",
        "netral_jetstream_storage_ratio > 0.8",
        "5m",
        "JetStream's storage is over 80 % full",
    ),
    Alert(
        "NotProvisioned",
        "page",
        "netral_broker_lacking > 0",
        "1m",
        "A stream or durable is not there; nobody reads what it would hold",
    ),
    Alert(
        "ConsumerStalled",
        "page",
        "netral_consumer_still_seconds > 30",
        "1m",
        "{{ $labels.consumer_name }} has work and finishes nothing",
    ),
    Alert("CasesWithoutOwner", "page", "netral_cases_without_owner > 0", "1m", "An open case has no owner"),
    Alert(
        "ReportsApart",
        "page",
        "sum by (netral_outcome) (increase(netral_reports_apart_total[10m])) > 0",
        "1m",
        "Reports that were accepted are not in the {{ $labels.netral_outcome }}",
    ),
    Alert(
        "StreamLost",
        "page",
        "sum by (netral_stream) (increase(netral_stream_lost_total[10m])) > 0",
        "1m",
        "The stream {{ $labels.netral_stream }} does not hold any more what it held",
    ),
    Alert(
        "MessagesParked",
        "ticket",
        'jetstream_stream_total_messages{stream_name="PARKED"} > 0',
        "1m",
        "Messages are parked and wait for a person",
    ),
    Alert(
        "MatchesWaiting",
        "ticket",
        f"netral_matches_oldest_age_seconds > {5 * 86400}",
        "5m",
        "A pair of reports that may tell of one event is not answered for five days",
    ),
    Alert(
        "LimitsOverdue",
        "ticket",
        "max by (netral_agency) (max_over_time(netral_limits_overdue[10m])) > 0",
        "5m",
        "{{ $labels.netral_agency }} let limits pass",
    ),
    Alert(
        "MailFailing",
        "ticket",
        'sum(increase(netral_mail_attempts_total{netral_outcome=~"PENDING|UNKNOWN|FAILED"}[15m])) > 5 unless '
        'sum(increase(netral_mail_attempts_total{netral_outcome="SENT"}[15m])) > 0',
        "5m",
        "No mail left for fifteen minutes though it was tried",
    ),
    Alert(
        "WebhookFailing",
        "ticket",
        "max by (netral_agency, netral_alarm) (netral_webhooks_attention) > 0",
        "1m",
        "A human must see to webhooks of {{ $labels.netral_agency }}: {{ $labels.netral_alarm }}",
    ),
    Alert(
        "DoorErrors",
        "page",
        f"{_answers('rate', FIVES)} > {FAILED_SHARE} * {_answers('rate')} and {_answers('increase', FIVES)} > {FEW - 1}",
        "2m",
        "More than one request in a hundred to {{ $labels.http_route }} of {{ $labels.job }} fails",
    ),
    Alert(
        "OpsBlind",
        "page",
        "up == 0 or netral_ops_blind > 0 or time() - netral_ops_looked_at_seconds > 60 "
        "or absent(netral_ops_looked_at_seconds)",
        "2m",
        "Figures are missing; other alerts cannot fire",
    ),
)


def document() -> dict[str, Any]:
    """The rule file as Prometheus reads it."""
    return {
        "groups": [
            {"name": "netral-objectives", "rules": [rule for o in OBJECTIVES for rule in _recorded(o)]},
            {"name": "netral-budgets", "rules": [rule for o in OBJECTIVES for rule in _burning(o)]},
            {"name": "netral-alerts", "rules": [_alert(alert) for alert in ALERTS]},
        ]
    }


def _recorded(objective: Objective) -> list[dict[str, Any]]:
    """The share of events that were too late, over each window. Prometheus 3 writes `10` as `10.0`."""
    good = f'{objective.histogram}_bucket{{le=~"{objective.seconds}(\\\\.0)?"}}'
    return [
        {
            "record": f"netral:{objective.name}:late:ratio_{window}",
            "expr": f"1 - sum(rate({good}[{window}])) / sum(rate({objective.histogram}_count[{window}]))",
        }
        for window in _WINDOWS
    ]


def _burning(objective: Objective) -> list[dict[str, Any]]:
    found = []
    for severity in ("page", "ticket"):
        either = " or ".join(
            f"({_over(objective, long, burn)} and {_over(objective, short, burn)})"
            for level, burn, long, short in _BURNS
            if level == severity
        )
        enough = f"sum(increase({objective.histogram}_count[{_AMONG[severity]}])) > {LEAST}"
        alert = Alert(
            objective.name, severity, f"({either}) and {enough}", "2m", f"Budget burns: {objective.says}"
        )
        found.append(_alert(alert))
    return found


def _over(objective: Objective, window: str, burn: float) -> str:
    return f"netral:{objective.name}:late:ratio_{window} > {round(burn * (1 - objective.target), 6)}"


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.says, "runbook_url": f"{RUNBOOKS}/{alert.name}.md"},
    }
