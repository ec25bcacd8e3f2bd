"""Makes a claimed notice ready for the road: whose mailbox, the whole letter, and where its bounce comes back to."""

from datetime import datetime
from typing import NamedTuple

from services.notifications.core.bounces import bounce_address
from services.notifications.core.letters import Desk, Dispatch, letter
from services.notifications.core.matrix import Matrix
from services.notifications.core.refusing import token_of
from services.notifications.core.retries import Answer, Verdict
from services.notifications.ledger import Ledger
from services.notifications.ledger_rows import Claim
from services.notifications.reply_addresses import Addresses
from services.notifications.settings import NotificationsSettings
from services.runtime.logs import log, where


class NoLetter(Exception):
    """There is nothing to send; `answer` says what becomes of the notice."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.code)


class Post(NamedTuple):
    """`sender` is the envelope's; `domain` that of the reader."""

    to: str
    domain: str
    message: bytes
    sender: str


class Scribe:
    """`key` signs bounce addresses and unsubscribe links."""

    def __init__(
        self,
        ledger: Ledger,
        addresses: Addresses,
        settings: NotificationsSettings,
        matrix: Matrix,
        key: bytes,
    ) -> None:
        self._ledger = ledger
        self._addresses = addresses
        self._matrix = matrix
        self._key = key
        self._bounces_to = settings.bounces_to
        self._refusing = settings.refusing_address
        self._desk = Desk(
            settings.mail_from, settings.public_address, settings.agency_address, settings.reply_to
        )

    async def write(self, claim: Claim, now: datetime) -> Post:
        """The mail of a claim, to where its reader is found today.

        Raises NoAddress, NoLetter; LedgerAway while it cannot be asked for refusals.
        """
        notice, tried = claim.notice, claim.tried
        optional = self._is_optional(claim)
        if optional and await self._ledger.refuses(notice.reader):
            raise NoLetter(Answer(Verdict.REFUSED_BY_READER, "refused"))
        to = await self._addresses.of(notice, now)
        link = f"{self._refusing}/mail/unsubscribe/{token_of(notice.reader, self._key)}" if optional else None
        dispatch = Dispatch(
            to,
            claim.message_id,
            claim.root,
            tried.created_at,
            claim.earlier,
            doubtful=tried.doubts > 0,
            unsubscribe=link,
        )
        try:
            message = letter(notice, dispatch, self._desk).as_bytes()
        except Exception as problem:  # a letter that cannot be written must not stop the others
            log(
                "letter.failed",
                level="ERROR",
                error=type(problem).__name__,
                where=where(problem),
                notice_id=tried.notice_id,
            )
            raise NoLetter(Answer(Verdict.REFUSED, "letter")) from None
        sender = bounce_address(self._bounces_to, notice.notice_id, self._key)
        return Post(to, to.rpartition("@")[2].lower(), message, sender)

    def _is_optional(self, claim: Claim) -> bool:
        kind = self._matrix.letters.get(claim.notice.letter)
        return kind is not None and kind.optional
