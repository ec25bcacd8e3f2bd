"""The life-cycle table: which state each event leads to, who may say it, and after which states. A lawyer can check it.

States are those of the field, per reported person; docs/life.md maps each word of the field to one of them. What is
said about the criminal track, identity or the person's career changes no state but sets a mark: the administrative track
goes on.
"""

from dataclasses import dataclass

from contracts.codes import Agency, ProgressEvent
from contracts.steps import MoveKind


@dataclass(frozen=True)
class State:
    """`id` is the label officers read, `en` its translation; nobody must act in a closed state."""

    code: str
    id: str
    en: str
    closed: bool = False


STATES = {
    state.code: state
    for state in (
        State("ROUTED", "diteruskan", "routed"),
        State("VERIFIED", "diverifikasi Satgas", "verified by the Satgas"),
        State("NOT_VERIFIED", "tidak lolos verifikasi Satgas", "not verified by the Satgas"),
        State("REPAIR_NEEDED", "perlu dilengkapi", "to be completed"),
        State("NOT_REGISTERED", "tidak diregistrasi", "not registered", closed=True),
        State("NOT_PROVEN_BY_STUDY", "tidak terbukti", "not proven", closed=True),
        State("BREACH", "terbukti, menunggu tindak lanjut", "breach found, follow-up awaited"),
        State("RETURNED_BY_SUPERVISOR", "dikembalikan pengawas", "returned by the supervisor"),
        State(
            "NOT_PROVEN_BY_SUPERVISOR",
            "tidak terbukti menurut pengawas",
            "not proven to the supervisor",
            closed=True,
        ),
        State("RECOMMENDED", "rekomendasi, menunggu tindak lanjut PPK", "recommended, awaiting the PPK"),
        State("OVERDUE", "lewat batas, PPK diam", "over the limit, the PPK is silent"),
        State("SANCTIONED", "ditindaklanjuti", "sanctioned", closed=True),
        State("WRONG_SANCTION", "sanksi keliru", "wrong sanction"),
        State("WITHDRAWN", "dibatalkan pelapor", "withdrawn", closed=True),
        State("DONE", "selesai", "done", closed=True),
        State("LINKED", "terkait duplikat", "linked as a duplicate", closed=True),
        # From here on: no progress leads there, they follow from moves (`core/standing.py`).
        State("RETURNED", "dikembalikan", "returned"),
        State("REFUSED", "bukan wewenang, menunggu petugas", "not competent, awaiting the operator"),
        State("REPRIMANDED", "lewat batas, teguran", "over the limit, reprimanded"),
        State("BLOCKED", "diblokir", "personnel data blocked"),
        State("UNBLOCKED", "dibuka blokir", "personnel data unblocked"),
        State("REJECTED", "ditolak", "rejected", closed=True),
        State("LEFT", "pensiun/APS/meninggal", "retired, resigned or died", closed=True),
    )
}
START = "ROUTED"
LINKED = "LINKED"
"""Not reached by an event: the case is a duplicate of another (core/linking.py)."""

MARKS = {
    "COMPLETE": ("lengkap", "complete"),
    "IDENTIFIED": ("teridentifikasi", "identified"),
    "UNIDENTIFIED": ("tidak teridentifikasi", "not identified"),
    "CANDIDATE": ("calon identitas, menunggu pejabat kedua", "named once, awaiting a second officer"),
    "DISPUTED": ("identitas diperselisihkan", "identity disputed"),
    "CRIME": ("diteruskan ke Gakkumdu", "passed to Gakkumdu"),
    "MOVED": ("pindah instansi", "moved to another employer"),
    "LEFT": ("pensiun/APS/meninggal", "retired, resigned or died"),
    "RECUSED": ("PPK berbenturan kepentingan", "the PPK has a conflict of interest"),
}
"""What is known beside the state, in Indonesian and English."""

QUEUES = {
    "queue.unroutable": ("tidak ada lembaga yang wajib bertindak", "no rule obliges an agency to act now"),
    "queue.not-verified": (
        "ditolak verifikasi Satgas: dikaji, dialihkan, atau ditutup?",
        "not verified by the Satgas: to be studied, assigned or closed?",
    ),
    "queue.returned": ("dikembalikan tanpa penerima", "returned to nobody in particular"),
    "queue.refused": ("lembaga menyatakan bukan wewenangnya", "an agency says it is not competent"),
    "queue.no-superior": (
        "PPK berbenturan kepentingan, atasannya belum diketahui",
        "the PPK has a conflict of interest and his superior is not known",
    ),
}
"""Why a matter stands in the operator's queue, in Indonesian and English."""

_SATGAS = frozenset({Agency.BAWASLU, Agency.KASN, Agency.BKN, Agency.KEMENPANRB, Agency.KEMENDAGRI})
_BAWASLU = frozenset({Agency.BAWASLU})
_SUPERVISORS = frozenset({Agency.KASN, Agency.BKN})
MAY_SUPERVISE = _SUPERVISORS | {Agency.KEMENPANRB}
"""Who a rulebook may make the supervisor of civil servants, as its guarantees count them; a new body needs a code first."""
_PPK = frozenset({Agency.PPK, Agency.KEMENDAGRI, Agency.BKN, Agency.KEMENPANRB})
_CAREER = frozenset({Agency.PPK, Agency.BKN})
_BEFORE_STUDY = frozenset({"ROUTED", "VERIFIED", "NOT_VERIFIED", "REPAIR_NEEDED", "RETURNED_BY_SUPERVISOR"})
_OPEN = frozenset(code for code, state in STATES.items() if not state.closed)
_AT_PPK = frozenset({"RECOMMENDED", "OVERDUE", "WRONG_SANCTION"})


@dataclass(frozen=True)
class Way:
    """Who may say an event, after which states, and the state it leads to (None: it stays)."""

    speakers: frozenset[Agency]
    after: frozenset[str]
    to: str | None


WAYS: dict[str, Way] = {
    "SATGAS_VERIFIED:VALID": Way(_SATGAS, frozenset({"ROUTED", "NOT_VERIFIED", "REPAIR_NEEDED"}), "VERIFIED"),
    "SATGAS_VERIFIED:INVALID": Way(_SATGAS, frozenset({"ROUTED", "REPAIR_NEEDED"}), "NOT_VERIFIED"),
    "STUDY_CONCLUDED:BREACH": Way(_BAWASLU, _BEFORE_STUDY, "BREACH"),
    "STUDY_CONCLUDED:NO_BREACH": Way(_BAWASLU, _BEFORE_STUDY, "NOT_PROVEN_BY_STUDY"),
    "STUDY_CONCLUDED:NOT_REGISTERED": Way(_BAWASLU, _BEFORE_STUDY, "NOT_REGISTERED"),
    "STUDY_CONCLUDED:REPAIR_NEEDED": Way(_BAWASLU, _BEFORE_STUDY, "REPAIR_NEEDED"),
    "SUPERVISOR_CONCLUDED:RECOMMENDED": Way(_SUPERVISORS, frozenset({"BREACH"}), "RECOMMENDED"),
    "SUPERVISOR_CONCLUDED:NOT_PROVEN": Way(_SUPERVISORS, frozenset({"BREACH"}), "NOT_PROVEN_BY_SUPERVISOR"),
    "SUPERVISOR_CONCLUDED:RETURNED": Way(_SUPERVISORS, frozenset({"BREACH"}), "RETURNED_BY_SUPERVISOR"),
    "PPK_CONCLUDED:SANCTIONED": Way(_PPK, _AT_PPK, "SANCTIONED"),
    "PPK_CONCLUDED:SILENT": Way(frozenset({Agency.BKN, Agency.KASN}), _AT_PPK, "OVERDUE"),
    "PPK_CONCLUDED:WRONG_SANCTION": Way(_SUPERVISORS, _AT_PPK | {"SANCTIONED"}, "WRONG_SANCTION"),
    "GAKKUMDU_CONCLUDED:ELEMENTS_MET": Way(_BAWASLU | {Agency.GAKKUMDU}, _OPEN, None),
    "GAKKUMDU_CONCLUDED:ELEMENTS_NOT_MET": Way(_BAWASLU | {Agency.GAKKUMDU}, _OPEN, None),
    str(ProgressEvent.IDENTIFIED): Way(_BAWASLU | _SUPERVISORS, _OPEN, None),
    str(ProgressEvent.WITHDRAWN): Way(_BAWASLU, _OPEN, "WITHDRAWN"),
    str(ProgressEvent.TRANSFERRED): Way(_CAREER, _OPEN, None),
    str(ProgressEvent.LEFT_SERVICE): Way(_CAREER, _OPEN, None),
}
"""Every trigger but the opening, with its way."""

_PRESSING = frozenset({Agency.BKN, Agency.KASN, Agency.KEMENDAGRI, Agency.KEMENPANRB})
_SILENT_PPK = frozenset({"OVERDUE"})
MEASURES: dict[MoveKind, Way] = {
    MoveKind.WARN: Way(_PRESSING, _SILENT_PPK, "REPRIMANDED"),
    MoveKind.BLOCK: Way(frozenset({Agency.BKN}), _SILENT_PPK, "BLOCKED"),
    MoveKind.UNBLOCK: Way(frozenset({Agency.BKN}), _SILENT_PPK | {"SANCTIONED"}, "UNBLOCKED"),
    MoveKind.RECUSE: Way(_PRESSING | _BAWASLU | {Agency.PPK}, _OPEN, None),
}
"""The moves that are no hand-over: what is done about a PPK that does not act or may not act."""
