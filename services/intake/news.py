"""What a reporter is told of each state of a case: the class of its outcome, never a sanction, a person or a crime track."""

from collections.abc import Iterable

from contracts import regions
from contracts.codes import Agency
from contracts.steps import Matter
from services.intake.answers import Sentence

_OVERDUE = Sentence(
    id="Tindak lanjut lewat batas waktu; pihak yang lebih tinggi menanganinya.",
    en="The follow-up is overdue; a higher body deals with it.",
)
_WATCHED = Sentence(id="Tindak lanjut diawasi BKN.", en="BKN watches over the follow-up.")
_DONE = Sentence(id="Penanganan selesai.", en="Handling is finished.")
NEWS: dict[str, Sentence] = {
    "ROUTED": Sentence(
        id="Diteruskan kepada lembaga yang berwenang.", en="Passed on to the competent agency."
    ),
    "VERIFIED": Sentence(
        id="Diverifikasi Satgas; menunggu kajian.", en="Verified by the task force; to be studied."
    ),
    "NOT_VERIFIED": Sentence(id="Belum lolos verifikasi Satgas.", en="Not verified by the task force yet."),
    "REPAIR_NEEDED": Sentence(
        id="Perlu dilengkapi: hubungi kantor Bawaslu yang menanganinya.",
        en="To be completed: turn to the Bawaslu office that handles it.",
    ),
    "NOT_REGISTERED": Sentence(id="Tidak diregistrasi.", en="Not registered."),
    "NOT_PROVEN_BY_STUDY": Sentence(id="Tidak terbukti menurut kajian.", en="Not proven by the study."),
    "BREACH": Sentence(
        id="Kajian Bawaslu selesai; diteruskan untuk tindak lanjut.",
        en="Bawaslu's study is finished; passed on for follow-up.",
    ),
    "RETURNED_BY_SUPERVISOR": Sentence(id="Dikembalikan pengawas ASN.", en="Returned by the supervisor."),
    "NOT_PROVEN_BY_SUPERVISOR": Sentence(
        id="Tidak terbukti menurut pengawas ASN.", en="Not proven to the supervisor of the civil service."
    ),
    "RECOMMENDED": Sentence(
        id="Rekomendasi diberikan; menunggu tindak lanjut pejabat yang berwenang.",
        en="A recommendation was given; the competent official's follow-up is awaited.",
    ),
    "OVERDUE": _OVERDUE,
    "REPRIMANDED": _OVERDUE,
    "BLOCKED": _WATCHED,
    "UNBLOCKED": _WATCHED,
    "SANCTIONED": Sentence(id="Sudah ditindaklanjuti.", en="Followed up."),
    "WRONG_SANCTION": Sentence(id="Tindak lanjut perlu diperbaiki.", en="The follow-up needs correction."),
    "WITHDRAWN": Sentence(id="Dibatalkan pelapor.", en="Withdrawn by the reporter."),
    "DONE": _DONE,
    "LEFT": _DONE,
    "LINKED": Sentence(
        id="Ditangani bersama laporan lain tentang peristiwa yang sama.",
        en="Handled together with another report of the same event.",
    ),
    "RETURNED": Sentence(
        id="Dikembalikan untuk dilengkapi; batas waktu berhenti sementara.",
        en="Given back to be completed; time limits stand still.",
    ),
    "REFUSED": Sentence(
        id="Lembaga menyatakan bukan wewenangnya; penerima yang tepat sedang ditentukan.",
        en="An agency says it is not competent; the right one is being found.",
    ),
    "REJECTED": Sentence(id="Ditolak.", en="Rejected."),
}
"""By the code of the state (docs/life.md)."""


def news_of(matters: Iterable[Matter]) -> list[Sentence]:
    """Each sentence once, however many persons it is about; a state this version does not know is left out."""
    told = (_repair(matter) or NEWS.get(matter.state) for matter in matters)
    return list(dict.fromkeys(sentence for sentence in told if sentence))


def _repair(matter: Matter) -> Sentence | None:
    """Where and until when a report must be completed; what is missing that office says itself."""
    due = next((due for due in matter.dues if due.agency is Agency.BAWASLU), None)
    if matter.state != "REPAIR_NEEDED" or due is None:
        return None
    where = f"Bawaslu, {regions.label_of(due.office)}"
    return Sentence(
        id=f"Perlu dilengkapi pada {where}, sampai dengan {due.last_day:%d-%m-%Y}.",
        en=f"To be completed at {where}, until {due.last_day} at the latest.",
    )
