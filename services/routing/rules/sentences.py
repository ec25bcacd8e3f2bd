"""Says each version of a rule as one Indonesian and one English sentence, so that a lawyer can sign it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from contracts.codes import DeadlineUnit, Role
from contracts.decision import Deadline
from services.routing.core.rules import Assign, Both, Rule, Rulebook, Version
from services.routing.core.vocabulary import FACTS

NOT_IN_FORCE = Both("belum berlaku", "not in force")
REPEALED = Both("dicabut", "repealed")

_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_CLOCKS = {
    "incident": Both("menurut tanggal kejadian", "by the day of the incident"),
    "handling": Both("menurut tanggal penanganan", "by the day of handling"),
}
_FACTS = {
    "election": Both("pemilihan", "election"),
    "election_office": Both("jabatan yang dipilih", "office to be elected"),
    "status": Both("status", "status"),
    "post": Both("jabatan", "post"),
    "post_kind": Both("jenis jabatan", "kind of post"),
    "employer": Both("instansi", "employer"),
    "act": Both("perbuatan", "act"),
    "beneficiary": Both("pihak yang diuntungkan", "beneficiary"),
    "stage": Both("tahapan", "stage"),
    "channel": Both("saluran", "channel"),
    "numbered": Both("NIP diketahui", "service number known"),
    "identity": Both("identitas", "identity"),
    "track": Both("jalur", "track"),
    "late": Both("terlambat", "late"),
    "home": Both("tempat tugas terhadap tempat kejadian", "place of work against place of the event"),
    "national": Both("berskala nasional", "of national scale"),
    "rotation_window": Both("masa larangan mutasi", "window in which rotation is forbidden"),
    "file": Both("berkas di KASN", "file at KASN"),
    "received_by": Both("diterima oleh", "received by"),
}
_OFFICES = {
    "PLACE": Both("setempat kejadian", "of the place of the event"),
    "HOME": Both("tempat tugas orang itu", "of the person's home"),
    "CENTRE": Both("pusat", "national office"),
    "EMPLOYER": Both("instansinya", "of the employer"),
    "WORKPLACE": Both("tempat kantor unit kerjanya", "where the unit sits"),
    "REGIONAL": Both("kantor regional BKN", "regional office of BKN"),
    "UNSTATED": Both("kantor tidak disebut sumber", "office not stated by any source"),
}
_ROLES = {
    Role.ACTION: Both("bertindak (ACTION)", "acts (ACTION)"),
    Role.COPY: Both("mendapat tembusan (COPY)", "gets a copy (COPY)"),
    Role.INFORMATION: Both("mendapat informasi (INFORMATION)", "is informed (INFORMATION)"),
}
_UNITS = {
    DeadlineUnit.WORKING_DAY: Both("hari kerja", "working day"),
    DeadlineUnit.CALENDAR_DAY: Both("hari kalender", "calendar day"),
    DeadlineUnit.HOUR: Both("jam", "hour"),
}


class Speaker:
    """Says the versions of one rulebook; it knows which rules give way to which."""

    def __init__(self, book: Rulebook) -> None:
        self._exceptions: dict[str, list[str]] = defaultdict(list)
        for rule in book.rules:
            for name in rule.exception_to:
                self._exceptions[name].append(rule.id)

    def sentence(self, rule: Rule, number: int) -> Both:
        """Version `number` of a rule as one sentence in each language, with its basis, exceptions and doubts."""
        since, until = rule.interval(number)
        version = rule.history[number]
        clock, given, says = _CLOCKS[rule.by], conditions(rule), _saying(version)
        ends = Both(f" sampai sebelum {day(until).id}", f" and before {day(until).en}") if until else _NOTHING
        if version.expected:
            ends = Both(f" ({NOT_IN_FORCE.id})", f" ({NOT_IN_FORCE.en})")
        more = [*_basis(version), *self._relations(rule), *_doubts(version)]
        return Both(
            f"Sejak {day(since).id}{ends.id} ({clock.id}): jika {given.id}, maka {says.id}."
            + "".join(f" {part.id}" for part in more),
            f"From {day(since).en}{ends.en} ({clock.en}): if {given.en}, then {says.en}."
            + "".join(f" {part.en}" for part in more),
        )

    def _relations(self, rule: Rule) -> Iterable[Both]:
        if rule.exception_to:
            names = ", ".join(rule.exception_to)
            yield Both(f"Mengesampingkan aturan {names}.", f"Overrides rule {names}.")
        if exceptions := self._exceptions[rule.id]:
            names = ", ".join(exceptions)
            yield Both(
                f"Dikesampingkan bila berlaku aturan {names}.", f"Gives way where rule {names} applies."
            )


_NOTHING = Both("", "")


def day(of: date) -> Both:
    """A day in words, `4 September 2024`."""
    return Both(
        f"{of.day} {_MONTHS[of.month - 1]} {of.year}", f"{of.day} {_MONTHS_EN[of.month - 1]} {of.year}"
    )


def conditions(rule: Rule) -> Both:
    """The conditions of a rule in words; a long list is said by the few values it leaves out."""
    if not rule.given:
        return Both("apa pun keadaannya", "whatever the facts")
    said = [condition(fact, values) for fact, values in rule.given.items()]
    return Both(", dan ".join(part.id for part in said), ", and ".join(part.en for part in said))


def condition(fact: str, values: frozenset[str]) -> Both:
    """One condition: `status = PNS, CPNS atau PPPK`, or `perbuatan selain OTHER` where nearly all are accepted."""
    name = _FACTS[fact]
    inside = [str(value) for value in FACTS[fact] if value in values]
    outside = [str(value) for value in FACTS[fact] if value not in values]
    if outside and len(outside) <= 2 and len(inside) >= 5:
        return Both(
            f"{name.id} selain {listed(outside, 'dan')}", f"{name.en} other than {listed(outside, 'and')}"
        )
    return Both(f"{name.id} = {listed(inside, 'atau')}", f"{name.en} = {listed(inside, 'or')}")


def listed(words: Sequence[str], last: str) -> str:
    """`A, B atau C`."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def office(assign: Assign) -> Both:
    """How the office of an assignment is named in words."""
    return _OFFICES[assign.office]


def limit(deadline: Deadline) -> Both:
    """`14 hari kerja sejak SUPERVISOR_CONCLUDED`."""
    unit, many = _UNITS[deadline.unit], "" if deadline.count == 1 else "s"
    return Both(
        f"{deadline.count} {unit.id} sejak {deadline.since}",
        f"{deadline.count} {unit.en}{many} since {deadline.since}",
    )


def state(version: Version) -> Both | None:
    """Why a version says nothing, if it does not."""
    if version.expected:
        return NOT_IN_FORCE
    return REPEALED if version.repealed else None


def _saying(version: Version) -> Both:
    if version.repealed:
        return Both(
            "aturan ini dicabut dan tidak ada penggantinya", "this rule is repealed without successor"
        )
    parts = [_assignment(assign) for assign in version.assigns]
    if version.class_:
        parts.append(Both(f"golongannya {version.class_}", f"its class is {version.class_}"))
    if version.review:
        question = Both(version.review.id.rstrip("."), version.review.en.rstrip("."))
        parts.append(
            Both(f"seseorang harus memutuskan: «{question.id}»", f"a person decides: “{question.en}”")
        )
    if not parts:
        return Both("isinya belum diketahui", "its content is not known yet")
    return Both("; ".join(part.id for part in parts), "; ".join(part.en for part in parts))


def _assignment(assign: Assign) -> Both:
    where, role, more = office(assign), _ROLES[assign.role], list(_conditions_of(assign))
    agency = assign.agency
    return Both(
        f"{agency} ({where.id}) {role.id} pada {assign.when}" + "".join(f", {part.id}" for part in more),
        f"{agency} ({where.en}) {role.en} at {assign.when}" + "".join(f", {part.en}" for part in more),
    )


def _conditions_of(assign: Assign) -> Iterable[Both]:
    if assign.repeated:
        yield Both("pada kejadian kedua", "at the second such event")
    if assign.manual:
        yield Both("hanya bila diputuskan seseorang", "only where a person so decides")
    if assign.deadline:
        said = limit(assign.deadline)
        yield Both(f"paling lama {said.id}", f"within {said.en}")
    if assign.until:
        ends = sorted(assign.until)
        yield Both(f"sampai {listed(ends, 'atau')}", f"until {listed(ends, 'or')}")


def _basis(version: Version) -> Iterable[Both]:
    cited = ", ".join(str(citation) for citation in version.basis)
    if cited:
        yield Both(f"Dasar: {cited.replace(' art. ', ' Pasal ')}.", f"Basis: {cited}.")


def _doubts(version: Version) -> Iterable[Both]:
    if version.note:
        kind, text = version.note.kind, version.note.text.rstrip(".")
        yield Both(f"Catatan ({kind}): {text}.", f"Note ({kind}): {text}.")
