"""Opens the ledger as the settings say, with the plan of when each letter is due."""

from datetime import datetime

from services.notifications.core.manners import Manner, When, when
from services.notifications.core.matrix import LetterKind, Matrix
from services.notifications.core.notices import Notice
from services.notifications.directory import Directory
from services.notifications.ledger import Ledger, Naming
from services.notifications.settings import NotificationsSettings
from services.runtime.database import open_engine

_UNKNOWN = LetterKind(urgent=True, withhold=("unknown",))


def open_ledger(settings: NotificationsSettings, key: bytes, directory: Directory, matrix: Matrix) -> Ledger:
    """The ledger of this service, not started yet."""

    def plan(notice: Notice, now: datetime, recent: int) -> When:
        kind = matrix.letters.get(notice.letter, _UNKNOWN)
        manner = directory.manner_of(notice.agency, notice.office) if notice.agency else Manner()
        if kind.quiet and manner.quiet is None:
            manner = Manner(manner.pace, settings.quiet)
        return when(notice, kind, manner, now, recent=recent, burst=settings.mail_burst)

    naming = Naming(key, settings.mail_domain)
    return Ledger(open_engine(settings.ledger_address), naming, plan)
