"""The Grafana dashboards: overview, one service, one agency, the broker, time limits."""

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, VariableRefresh

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
_INTERVAL = "$__rate_interval"
_HTTP, _HANDLED = "http_server_request_duration_seconds", "messaging_process_duration_seconds"
_ROUTED, _OFFERED = "netral_report_routed_age_seconds", "netral_delivery_age_seconds"
_ACCEPTED, _MESSAGES = "netral_reports_accepted_total", "jetstream_stream_total_messages"
_PUSHED, _MAILED = "netral_webhook_age_seconds", "netral_mail_age_seconds"
_OLDEST = "netral_cases_oldest_age_seconds"


class _Page:
    """A dashboard that is filled from the top left, two panels in a row."""

    def __init__(self, uid: str, title: str, says: str) -> None:
        self.built = (
            dashboard.Dashboard(title)
            .uid(f"netral-{uid}")
            .description(says)
            .tags(["netral"])
            .refresh("30s")
            .time("now-6h", "now")
            .timezone("browser")
            .readonly()
            .with_variable(dashboard.DatasourceVariable("source").label("Source").type("prometheus"))
        )
        self._number = 0

    def choice(self, name: str, label: str, series: str) -> "_Page":
        """A variable whose values are those that a label has."""
        variable = dashboard.QueryVariable(name).label(label).datasource(SOURCE)
        query = f"label_values({series}, {name})"
        self.built.with_variable(variable.query(query).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED))
        return self

    def panel(self, title: str, says: str, unit: str, *lines: tuple[str, str]) -> "_Page":
        """One chart; each line is an expression and its legend."""
        place = GridPos(h=8, w=12, x=12 * (self._number % 2), y=8 * (self._number // 2))
        self._number += 1
        chart = (
            timeseries.Panel()
            .id(self._number)
            .title(title)
            .description(says)
            .unit(unit)
            .min(0)
            .fill_opacity(10)
            .datasource(SOURCE)
            .grid_pos(place)
        )
        for letter, (expr, legend) in zip("ABCDEFGH", lines, strict=False):
            chart.with_target(
                prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(letter).datasource(SOURCE)
            )
        self.built.with_panel(chart)
        return self


def dashboards() -> dict[str, dashboard.Dashboard]:
    """Every dashboard by the name of its file."""
    pages = {
        "overview": _overview(),
        "service": _service(),
        "agency": _agency(),
        "broker": _broker(),
        "limits": _limits(),
    }
    return {name: page.built for name, page in pages.items()}


def _rate(series: str, by: str = "", where: str = "") -> tuple[str, str]:
    """Events a second, one line for each value of the labels `by`."""
    return f"sum{_by(by)} (rate({series}{where}[{_INTERVAL}]))", _legend(by) or "all"


def _p99(histogram: str, by: str = "", where: str = "") -> tuple[str, str]:
    """The 99th percentile of a histogram in seconds, one line for each value of the labels `by`."""
    inner = f"sum by (le{', ' + by if by else ''}) (rate({histogram}_bucket{where}[{_INTERVAL}]))"
    return f"histogram_quantile(0.99, {inner})", _legend(by) or "p99"


def _now(series: str, by: str = "", where: str = "") -> tuple[str, str]:
    """A gauge as it is."""
    return series + where, _legend(by) or "now"


def _by(by: str) -> str:
    return f" by ({by})" if by else ""


def _legend(by: str) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by.split(", ")) if by else ""


def _overview() -> _Page:
    failed = '{http_response_status_code=~"5.."}'
    return (
        _Page("overview", "Netral", "Is everything well, and where does it wait?")
        .panel("Not ready", "Zero is well", "short", _now("1 - netral_service_ready", "netral_service"))
        .panel(
            "Cases without owner", "Must be zero at all times", "short", _now("netral_cases_without_owner")
        )
        .panel("Reports accepted", "By channel", "reqps", _rate(_ACCEPTED, "netral_channel"))
        .panel("From acceptance to decision", "Objective: 99.9 % within 10 s", "s", _p99(_ROUTED))
        .panel("Doors", "Requests by route", "reqps", _rate(f"{_HTTP}_count", "http_route"))
        .panel("Failed requests", "From 500 up", "reqps", _rate(f"{_HTTP}_count", "job, http_route", failed))
        .panel(
            "Waiting", "Not delivered yet", "short", _now("jetstream_consumer_num_pending", "consumer_name")
        )
        .panel(
            "Oldest near match",
            "How long it waits for an answer",
            "s",
            _now("netral_matches_oldest_age_seconds"),
        )
        .panel("Parked", "Wait for a person", "short", _now(_MESSAGES, "", '{stream_name="PARKED"}'))
    )


def _service() -> _Page:
    mine, durable = '{job="$job"}', "messaging_consumer_group_name"
    return (
        _Page("service", "Netral: one service", "Rate, errors and duration of one process")
        .choice("job", "Service", f"{_HTTP}_count")
        .panel(
            "Requests",
            "By route and status",
            "reqps",
            _rate(f"{_HTTP}_count", "http_route, http_response_status_code", mine),
        )
        .panel("Duration of requests", "99th percentile", "s", _p99(_HTTP, "http_route", mine))
        .panel(
            "Messages handled",
            "By durable and outcome",
            "ops",
            _rate("messaging_client_consumed_messages_total", f"{durable}, netral_outcome", mine),
        )
        .panel("Duration of handling", "99th percentile", "s", _p99(_HANDLED, durable, mine))
        .panel(
            "Time until the broker acknowledged",
            "99th percentile by subject",
            "s",
            _p99("messaging_client_operation_duration_seconds", "messaging_destination_template", mine),
        )
        .panel(
            "Redeliveries",
            "Deliveries after the first",
            "ops",
            _rate("netral_message_redeliveries_total", durable, mine),
        )
    )


def _agency() -> _Page:
    mine = '{netral_agency="$netral_agency"}'
    return (
        _Page("agency", "Netral: one agency", "What an agency holds, and whether it is reached")
        .choice("netral_agency", "Agency", f"{_OFFERED}_count")
        .panel("Persons it holds", "Under five are hidden", "short", _now("netral_persons_waiting", "", mine))
        .panel("Oldest", "How long its oldest case waits", "s", _now(_OLDEST, "", mine))
        .panel("Offered", "Parts offered", "ops", _rate(f"{_OFFERED}_count", "", mine))
        .panel("From acceptance to offer", "Objective: 99.9 % within 60 s", "s", _p99(_OFFERED, "", mine))
        .panel(
            "Webhooks", "By outcome", "ops", _rate("netral_webhook_attempts_total", "netral_outcome", mine)
        )
        .panel(
            "Mail", "By outcome, all agencies", "ops", _rate("netral_mail_attempts_total", "netral_outcome")
        )
        .panel("From event to webhook", "Until its endpoint took it", "s", _p99(_PUSHED, "", mine))
        .panel("From due to mail server", "Objective: 99 % within 5 min", "s", _p99(_MAILED, "", mine))
    )


def _broker() -> _Page:
    durable = "consumer_name"
    return (
        _Page("broker", "Netral: broker", "JetStream as nats-server itself sees it")
        .panel("Storage", "Share in use; full at 1", "percentunit", _now("netral_jetstream_storage_ratio"))
        .panel("Messages of a stream", "Stored now", "short", _now(_MESSAGES, "stream_name"))
        .panel(
            "Bytes of a stream", "Stored now", "bytes", _now("jetstream_stream_total_bytes", "stream_name")
        )
        .panel("Not finished", "Delivered", "short", _now("jetstream_consumer_num_ack_pending", durable))
        .panel(
            "Standing still",
            "Has work, finishes nothing",
            "s",
            _now("netral_consumer_still_seconds", durable),
        )
        .panel("Messages in", "By the server", "ops", _rate("gnatsd_varz_in_msgs_total", "server_id"))
        .panel(
            "Slow consumers",
            "Cut off: they did not read",
            "short",
            _now("gnatsd_varz_slow_consumers", "server_id"),
        )
        .panel("Connections", "Open now", "short", _now("gnatsd_varz_connections", "server_id"))
    )


def _limits() -> _Page:
    agency = "netral_agency"
    return (
        _Page("limits", "Netral: time limits", "Who waits where how long, and who let a limit pass")
        .panel("Persons by holder", "Under five are hidden", "short", _now("netral_persons_waiting", agency))
        .panel("Oldest by holder", "How long the oldest case waits", "s", _now(_OLDEST, agency))
        .panel("Limits that passed", "A second", "ops", _rate("netral_deadline_breached_total", agency))
        .panel("Over the limit now", "1 where there are some", "short", _now("netral_limits_overdue", agency))
    )
