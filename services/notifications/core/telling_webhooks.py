"""Which letter an office gets about its own webhook, by the stakeholder matrix. Pure."""

from datetime import datetime, timedelta

from contracts.events import Audience, NoticeStep
from contracts.webhooks import WebhookAlarm
from services.notifications.core.matrix import WEBHOOK, Matrix, To
from services.notifications.core.notices import Facts, Notice, notice_id

OLD_ALARM = timedelta(days=1)
"""An alarm that is heard later than this is history: nobody is sent to look for what was mended long ago."""


def on_webhook(event: WebhookAlarm, matrix: Matrix, now: datetime) -> list[Notice]:
    """The office whose endpoint takes no events hears of it by mail, once for each alarm of a spell of failures.

    The endpoint stands where other letters have their case; it is the thread of the letters.
    """
    data = event.data
    name = WEBHOOK.format(data.alarm)
    letter = matrix.letter_of(name, To.HOLDER)
    if letter is None or now - event.time > OLD_ALARM:
        return []
    facts = Facts(
        ticket="-",
        region=f"kemendagri:{(data.office or '').partition(':')[2]}",
        letter=letter,
        event=name,
        edition=matrix.edition,
        received_at=data.since,
    )
    return [
        Notice(
            notice_id=notice_id(data.alarm_id, NoticeStep.WEBHOOK, data.agency, data.office),
            case_id=data.endpoint_id,
            report_id=data.endpoint_id,
            step=NoticeStep.WEBHOOK,
            audience=Audience.AGENCY,
            agency=data.agency,
            office=data.office,
            place=int(event.time.timestamp()) // 60,
            facts=facts,
        )
    ]
