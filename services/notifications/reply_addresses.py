"""Where a letter goes: an office's duty address, or the reporter's own, asked of intake and never kept."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import httpx

from contracts.codes import Agency
from contracts.directory import Directory, Road
from contracts.events import Audience
from services.notifications.core.addresses import mailbox
from services.notifications.core.manners import day_of
from services.notifications.core.notices import Notice
from services.notifications.core.retries import Answer, Verdict
from services.runtime.telemetry import trace_headers


@dataclass(frozen=True)
class NoAddress(Exception):
    """There is no address now; `answer` says whether there ever will be."""

    answer: Answer


class Addresses:
    """Looks up the reader of a notice."""

    def __init__(self, directory: Directory, http: httpx.AsyncClient) -> None:
        self._directory = directory
        self._http = http

    async def of(self, notice: Notice, now: datetime) -> str:
        """The address to write to on the day it is for the reader. Raises NoAddress."""
        if notice.audience is Audience.REPORTER:
            return await self._reporter(notice.report_id)
        if not self._directory.entries:  # not read yet, or not loaded yet
            raise NoAddress(Answer(Verdict.DELAYED, "directory"))
        if notice.agency is None:
            raise NoAddress(Answer(Verdict.REFUSED, "no-address"))
        return self._duty(notice.agency, notice.office, day_of(notice, now))

    def _duty(self, agency: Agency, office: str | None, day: date) -> str:
        found = self._directory.reader(agency, office, day)
        if found and Road.EMAIL not in found[1].channels:
            raise NoAddress(Answer(Verdict.NOBODY, "channels"))
        given = self._directory.address_of(agency, office, day)
        address = mailbox(given) if given else None
        if address is None:  # an office nobody can write to is an operator's matter
            raise NoAddress(Answer(Verdict.REFUSED, "address" if given else "no-address"))
        return address

    async def close(self) -> None:
        await self._http.aclose()

    async def _reporter(self, report_id: UUID) -> str:
        try:
            answer = await self._http.get(
                f"/internal/v1/reports/{report_id}/reply-address", headers=trace_headers()
            )
        except httpx.HTTPError:
            raise NoAddress(Answer(Verdict.DELAYED, "intake-away")) from None
        if answer.status_code == httpx.codes.NOT_FOUND:  # the reporter's part was erased
            raise NoAddress(Answer(Verdict.NOBODY, "erased"))
        if answer.status_code != httpx.codes.OK:
            raise NoAddress(Answer(Verdict.DELAYED, f"intake-{answer.status_code}"))
        try:
            given = answer.json()["email"]
        except (ValueError, KeyError, TypeError):  # not intake, whoever it is
            raise NoAddress(Answer(Verdict.DELAYED, "intake-strange")) from None
        if given is None:
            raise NoAddress(Answer(Verdict.NOBODY, "none"))
        address = mailbox(str(given))
        if address is None:
            raise NoAddress(Answer(Verdict.REFUSED, "address"))
        return address


def intake_client(url: str, service_token: str) -> httpx.AsyncClient:
    """A client of intake's inner door."""
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {service_token}"}, timeout=5)
