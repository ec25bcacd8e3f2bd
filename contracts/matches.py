"""Near matches: two reports that may tell of one event, why they may, and what a person answered (events and HTTP)."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.decision import Part
from contracts.envelope import Event
from contracts.ids import NETRAL, derived_id
from contracts.report import PROSE
from contracts.report import Part as Strict


class Reason(StrEnum):
    """Why two reports may tell of one event; never with a name or a number."""

    SAME_NIP = "SAME_NIP"
    SIMILAR_NIP = "SIMILAR_NIP"
    SAME_NAME = "SAME_NAME"
    SIMILAR_NAME = "SIMILAR_NAME"
    SAME_POST = "SAME_POST"
    UNNAMED = "UNNAMED"
    MORE_PERSONS = "MORE_PERSONS"
    SAME_REGENCY = "SAME_REGENCY"
    SAME_PROVINCE = "SAME_PROVINCE"
    SAME_DAY = "SAME_DAY"
    NEAR_DAY = "NEAR_DAY"
    SAME_ACT = "SAME_ACT"
    SIMILAR_ACT = "SIMILAR_ACT"
    SAME_EVIDENCE = "SAME_EVIDENCE"


SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.SAME_NIP: ("NIP atau NI PPPK sama", "the same service number"),
    Reason.SIMILAR_NIP: (
        "NIP atau NI PPPK hampir sama; periksa angka yang berbeda",
        "nearly the same service number; check the digits that differ",
    ),
    Reason.SAME_NAME: (
        "nama sama setelah gelar dan ejaan disamakan",
        "the same name once titles and spelling are made alike",
    ),
    Reason.SIMILAR_NAME: ("nama mirip", "similar names"),
    Reason.SAME_POST: (
        "jabatan yang ditulis sama, tanpa nama pada salah satu laporan",
        "the same post as written, without a name in one of the reports",
    ),
    Reason.UNNAMED: (
        "orang yang dilaporkan tidak disebut namanya pada salah satu laporan",
        "one of the reports does not name the reported person",
    ),
    Reason.MORE_PERSONS: (
        "salah satu laporan menyebut lebih banyak orang",
        "one of the reports names more persons",
    ),
    Reason.SAME_REGENCY: ("kabupaten/kota kejadian sama", "the same regency or city"),
    Reason.SAME_PROVINCE: ("provinsi kejadian sama", "the same province"),
    Reason.SAME_DAY: ("hari kejadian sama", "the same day"),
    Reason.NEAR_DAY: ("hari kejadian berdekatan", "days close to each other"),
    Reason.SAME_ACT: ("perbuatan sama", "the same act"),
    Reason.SIMILAR_ACT: ("perbuatan sejenis", "acts of one kind"),
    Reason.SAME_EVIDENCE: ("berkas bukti yang sama", "the same file as evidence"),
}
"""Each reason for a reader: Indonesian, English."""


class Resemblance(Part):
    """An earlier report that may tell of the same event; `score` is 0 to 1, the threshold is intake's."""

    report_id: UUID
    case_id: UUID
    ticket: str
    score: float
    reasons: tuple[Reason, ...]


class ReportResemblesData(Part):
    report_id: UUID
    case_id: UUID
    ticket: str
    others: tuple[Resemblance, ...]


class ReportResembles(Event):
    """Intake compared a report with others and found some alike. It changes nothing; a person is asked."""

    type: Literal["id.netral.report.resembles.v1"] = "id.netral.report.resembles.v1"
    data: ReportResemblesData

    @property
    def nats_subject(self) -> str:
        return f"reports.{self.data.report_id}.resembles"


class Answer(StrEnum):
    """SAME links one case to the other; DIFFERENT only takes the pair out of the queue."""

    SAME = "SAME"
    DIFFERENT = "DIFFERENT"


class MatchAnsweredData(Part):
    """The `number`-th answer (from 1) about a pair of cases, said of the one in `case_id`; the last one counts."""

    match_id: UUID
    case_id: UUID
    other: UUID
    number: int
    answer: Answer
    sealed: str | None = None


class MatchAnswered(Event):
    """A person said whether two cases tell of one event."""

    type: Literal["id.netral.match.answered.v1"] = "id.netral.match.answered.v1"
    data: MatchAnsweredData

    @property
    def nats_subject(self) -> str:
        data = self.data
        return f"cases.{data.case_id}.match.{data.match_id}.{data.number}"


class MatchAnswer(Strict):
    """What an operator answers; the reason is sealed in the log."""

    answer: Answer
    reason: Annotated[str, Field(strict=True, max_length=2000), PROSE]


def match_id_of(one: UUID, other: UUID) -> UUID:
    """The id of a pair of cases, whichever resembles the other."""
    return derived_id(NETRAL, "match", *sorted((str(one), str(other))))
