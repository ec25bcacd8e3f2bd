"""The span of one try of an e-mail: a child of the handling that recorded the notice, or linked to it when that is old."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from opentelemetry.trace import Link, SpanKind, use_span

from services.notifications.core.retries import Answer, Verdict
from services.notifications.ledger_rows import Claim
from services.notifications.settings import NotificationsSettings
from services.runtime.spans import OLD
from services.runtime.telemetry import Telemetry, child_of, mark_failed, sender_of, tracer_of

_WELL = (Verdict.ACCEPTED, Verdict.NOBODY, Verdict.REFUSED_BY_READER)


class Tracing:
    """Says to which server, never to whom."""

    def __init__(self, settings: NotificationsSettings, telemetry: Telemetry | None) -> None:
        self._tracer = tracer_of(telemetry)
        self._server: dict[str, str | int] = {
            "server.address": settings.smtp_host,
            "server.port": settings.smtp_port,
        }

    async def of(
        self, claim: Claim, now: datetime, trying: Coroutine[Any, Any, Answer | None]
    ) -> Answer | None:
        """What `trying` answers."""
        sender = sender_of({"traceparent": claim.traceparent or ""})
        fresh = now - claim.tried.created_at < OLD
        old = [Link(sender, {"netral.link.reason": "created_long_ago"})] if sender and not fresh else []
        span = self._tracer.start_span(
            "SMTP send",
            context=child_of(sender if fresh else None),
            kind=SpanKind.CLIENT,
            links=old,
            attributes={
                **self._server,
                "netral.notice.step": claim.notice.step.value,
                "netral.case.id": str(claim.notice.case_id),
                **({"netral.agency": claim.notice.agency.value} if claim.notice.agency else {}),
            },
        )
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            answer = await trying
            span.set_attribute("netral.smtp.answer", answer.code if answer else "turn")
            if answer and answer.verdict not in _WELL:
                mark_failed(span, answer.code)
        return answer
