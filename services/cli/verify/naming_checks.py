"""Checks that every event of a case names it alike: its ticket, its region, the report that opened it, each person once."""

from collections.abc import Iterator

from services.cli.verify.findings import Finding
from services.cli.verify.history import Case
from services.cli.verify.logbook import Fact, Logbook

_REPORT = "SELECT ticket, region, case_id FROM reports WHERE report_id = ?"
_NAMES = ("report_id", "ticket", "region")


def check_names(case: Case, book: Logbook) -> Iterator[Finding]:
    """The record names the case as the report that opened it, all else as the record; a copy has a ticket of its own."""
    if len(case.of("decided")) != 1:
        return
    record = case.of("decided")[0]
    opened = book.db.execute(_REPORT, (record.data["report_id"],)).fetchone()
    wanted = {name: record.data[name] for name in _NAMES}
    if opened:
        wanted |= {"ticket": opened[0], "region": opened[1]}
    for fact in (fact for facts in case.facts.values() for fact in facts):
        names = wanted
        if fact.kind == "reports":
            own = book.db.execute(_REPORT, (fact.data["report_id"],)).fetchone()
            names = {"ticket": own[0]} if own else {}
        for name, value in names.items():
            if name in fact.data and fact.data[name] != value:
                says = f"{fact.subject} names the {name} {fact.data[name]}, not {value}"
                yield Finding("misnamed", case.case_id, says)
        yield from _twice(case, fact)


def _twice(case: Case, fact: Fact) -> Iterator[Finding]:
    data = fact.data
    persons = [data.get("persons") or data.get("refs"), data.get("decision", {}).get("persons")]
    for found in persons:
        refs = [one if isinstance(one, str) else one["ref"] for one in found or ()]
        if len(set(refs)) != len(refs):
            says = f"{fact.subject} tells of persons twice: {refs}"
            yield Finding("person-twice", case.case_id, says)
