"""Opens the ledger as the settings say, with the plan of when each letter is due."""

from datetime import datetime

from contracts.directory import Directory
from services.notifications.core.manners import When, manner_of, when
from services.notifications.core.matrix import LetterKind, Matrix
from services.notifications.core.notices import Notice
from services.notifications.ledger import Ledger, Naming
from services.notifications.settings import NotificationsSettings
from services.runtime.database import open_engine

_UNKNOWN = LetterKind(urgent=True, withhold=("unknown",))


def open_ledger(settings: NotificationsSettings, key: bytes, directory: Directory, matrix: Matrix) -> Ledger:
    """The ledger of this service, not started yet; `directory` is asked anew for each letter."""

    def plan(notice: Notice, now: datetime, recent: int) -> When:
        kind = matrix.letters.get(notice.letter, _UNKNOWN)
        manner = manner_of(directory, notice, now, settings.quiet if kind.quiet else None)
        return when(notice, kind, manner, now, recent=recent, burst=settings.mail_burst)

    naming = Naming(key, settings.mail_domain)
    return Ledger(open_engine(settings.ledger_address), naming, plan)
