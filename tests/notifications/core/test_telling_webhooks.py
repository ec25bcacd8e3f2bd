"""An office hears by mail that its webhook takes nothing, once for each alarm, and not of what is long over."""

from datetime import timedelta
from uuid import UUID

from contracts.codes import Agency
from contracts.events import NoticeStep
from contracts.webhooks import AlarmKind
from services.notifications.core.letters import Desk, body, subject
from services.notifications.core.matrix import matrix
from services.notifications.core.telling_webhooks import on_webhook
from tests.notifications.story import NOON, an_alarm

MATRIX = matrix()


def test_every_kind_of_alarm_is_told_to_the_office_of_the_endpoint_with_words_of_its_own():
    said = set()
    for kind in AlarmKind:
        (notice,) = on_webhook(an_alarm(kind), MATRIX, NOON)
        assert (notice.agency, notice.office, notice.step) == (
            Agency.BAWASLU,
            "kabkota:52.04",
            NoticeStep.WEBHOOK,
        )
        text = body(notice, Desk("netral@x.example", "https://p.example", "https://a.example", None)).text
        assert "24 November 2026 pukul 13.00 WITA" in text
        assert f"https://a.example/v1/agencies/BAWASLU/webhooks/{UUID(int=5)}" in text
        said.add(text)
    assert len(said) == len(AlarmKind)
    assert subject(notice).startswith("[Netral] Webhook kantor Saudara bermasalah")


def test_an_alarm_heard_again_is_the_same_letter_and_the_next_one_another_of_its_thread():
    first, again = on_webhook(an_alarm(), MATRIX, NOON), on_webhook(an_alarm(), MATRIX, NOON)
    (other,) = on_webhook(an_alarm(AlarmKind.SUSPENDED), MATRIX, NOON)
    assert first == again
    assert other.notice_id != first[0].notice_id
    assert other.case_id == first[0].case_id


def test_an_alarm_that_is_heard_days_later_is_history():
    assert on_webhook(an_alarm(), MATRIX, NOON + timedelta(days=2)) == []
