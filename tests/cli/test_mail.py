"""`netral mail` shows and mends the ledger without a running service."""

import asyncio
import json
from pathlib import Path

import pytest

from contracts.directory import Directory
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import State
from services.notifications.core.retries import Step
from services.notifications.core.telling import on_accepted, on_offered
from services.notifications.ledger_tables import notices
from services.notifications.opening import open_ledger
from services.notifications.settings import NotificationsSettings
from tests.cli.conftest import Netral
from tests.notifications.story import NOON, TICKET, a_story


@pytest.fixture
def ledger(netral: Netral, tmp_path: Path) -> dict[str, str]:
    """A ledger with a mail in each state that needs a person; ids by state."""
    (tmp_path / "data").mkdir()
    settings = NotificationsSettings(data_dir=tmp_path / "data")

    async def make() -> dict[str, str]:
        made = open_ledger(settings, b"key", Directory(), matrix())
        await made.start()
        story = a_story()
        found = [n for offer in story.offers for n in on_offered(offer, matrix())]
        withheld = frozenset({found[3].notice_id})
        await made.record([*found, *on_accepted(story.accepted, matrix())], NOON, None, withheld)
        ids = {"WITHHELD": str(found[3].notice_id)}
        for state, notice in zip((State.FAILED, State.UNKNOWN, State.SENT), found, strict=False):
            same = notices.c.notice_id == str(notice.notice_id)
            await made.execute(notices.update().where(same).values(state=State.SENDING, attempts=1))
            from uuid import UUID

            from services.notifications.core.retries import Tried
            from services.notifications.ledger_rows import Claim

            later = NOON if state is State.UNKNOWN else None
            claim = Claim(notice, "<x>", "<x>", Tried(UUID(str(notice.notice_id)), 1, 0, NOON), NOON, None)
            await made.finish(claim, Step(state, "550", later, 1 if later else 0), NOON)
            ids[state.value] = str(notice.notice_id)
        await made.close()
        return ids

    return asyncio.run(make())


def states(netral: Netral, *words: str) -> list[str]:
    ran = netral("mail", "list", "--json", *words)
    assert ran.code == 0, ran.err
    return sorted(row["state"] for row in json.loads(ran.out))


def test_mails_are_listed_by_state_case_and_agency_without_an_address(
    netral: Netral, ledger: dict[str, str]
) -> None:
    assert states(netral) == ["FAILED", "PENDING", "SENT", "UNKNOWN", "WITHHELD"]
    assert states(netral, "--state", "trouble") == ["FAILED", "UNKNOWN", "WITHHELD"]
    assert len(states(netral, "--case", TICKET)) == 5
    assert len(states(netral, "--agency", "BAWASLU")) == 1
    out = netral("mail", "list").out + netral("mail", "show", ledger["FAILED"]).out
    assert "@duty" not in out
    assert "550" in out


def test_what_failed_is_sent_again_and_what_was_withheld_only_on_purpose(
    netral: Netral, ledger: dict[str, str]
) -> None:
    assert netral("mail", "retry", ledger["FAILED"][:8]).code == 0
    assert json.loads(netral("mail", "show", ledger["FAILED"], "--json").out)["state"] == "PENDING"
    refused = netral("mail", "retry", ledger["WITHHELD"])
    assert (refused.code, "although-withheld" in refused.err) == (2, True)
    assert netral("mail", "retry", ledger["WITHHELD"], "--although-withheld").code == 0
    assert netral("mail", "retry", ledger["SENT"]).code == 2


def test_an_unknown_outcome_is_resolved_by_a_person(netral: Netral, ledger: dict[str, str]) -> None:
    assert netral("mail", "resolve", ledger["UNKNOWN"], "perhaps").code == 2
    assert netral("mail", "resolve", ledger["UNKNOWN"], "arrived").code == 0
    assert json.loads(netral("mail", "show", ledger["UNKNOWN"], "--json").out)["state"] == "SENT"
    assert netral("mail", "resolve", ledger["UNKNOWN"], "lost").code == 2


def test_what_waits_can_be_suppressed(netral: Netral, ledger: dict[str, str]) -> None:
    assert netral("mail", "suppress", ledger["UNKNOWN"]).code == 0
    assert netral("mail", "suppress", ledger["SENT"]).code == 2
    assert netral("mail", "show", "ffffffff").code == 2


def test_every_letter_can_be_written_to_files_without_a_server(netral: Netral, tmp_path: Path) -> None:
    ran = netral("mail", "preview", "--out", tmp_path / "letters")
    assert ran.code == 0, ran.err
    names = {path.name for path in (tmp_path / "letters").iterdir()}
    assert names == {f"{name}.{kind}" for name in matrix().letters for kind in ("txt", "html", "eml")}
    assert netral("mail", "preview", "RECOMMENDED", "--out", tmp_path / "one").code == 0
    assert netral("mail", "preview", "poem").code == 2


def test_without_a_ledger_the_cure_is_said(netral: Netral) -> None:
    ran = netral("mail", "list")
    assert (ran.code, "netral up" in ran.err) == (2, True)
