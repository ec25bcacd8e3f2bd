"""What the door says, as models (the API document is made of them). Indonesian first, English second."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Sentence(Answer):
    """One sentence in both languages."""

    id: str
    en: str


class ReportAnswer(Answer):
    """A report was accepted; `receipt` is secret and shown only here. `received_at` is local to the place."""

    ticket: str
    receipt: str
    received_at: datetime
    status_url: str
    next: Sentence


class StatusAnswer(Answer):
    """How far a report has come; `received_at` is local to the place.

    `progress` is how it goes on once agencies have spoken, without saying of whom; `closed` that nobody must act any more.
    """

    ticket: str
    state: Literal["RECEIVED", "ROUTED"] = "RECEIVED"
    state_label: str = "Diterima"
    received_at: datetime
    progress: list[Sentence] = []
    closed: bool = False
    next: Sentence


class Health(Answer):
    """The process runs; `warnings`: what an operator should look at although it can work."""

    status: Literal["ok"] = "ok"
    warnings: list[str] = []


AFTER_REPORTING = Sentence(
    id="Simpan nomor tiket dan tanda terima ini; keduanya diperlukan untuk melihat status laporan Anda.",
    en="Keep this ticket and this receipt; you need both to see the status of your report.",
)
WHILE_RECEIVED = Sentence(
    id="Laporan Anda tersimpan dan diteruskan kepada setiap lembaga yang berwenang.",
    en="Your report is stored and is being passed on to every competent agency.",
)
AFTER_ROUTING = Sentence(
    id="Laporan Anda sudah diteruskan kepada setiap lembaga yang berwenang; mereka yang sekarang menanganinya.",
    en="Your report has been passed on to every competent agency; they deal with it now.",
)
AFTER_CLOSING = Sentence(
    id="Penanganan laporan Anda sudah selesai. Rincian sanksi, bila ada, tidak dimuat di sini.",
    en="The handling of your report is finished. What a sanction was is never said here.",
)
