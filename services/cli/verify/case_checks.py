"""Checks one case by its events alone: one decision, steps without a gap, legal, one owner each, offered once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from services.cli.verify import law
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person, Version, acting, progressed, standing, trigger_of
from services.cli.verify.offer_checks import check_offers


def check_case(case: Case) -> Iterator[Finding]:
    """Everything about a case that needs no clock and no database."""
    for subject, count in Counter(f.subject for facts in case.facts.values() for f in facts).items():
        if count > 1:
            yield Finding("stored-twice", case.case_id, f"{subject} holds {count} messages, it must hold one")
    yield from _reports(case)
    if len(case.of("decided")) != 1:
        if not case.of("decided"):
            yield Finding("no-decision", case.case_id, "has events or reports but no decision")
        return
    yield from _numbers(case)
    yield from _owners(case)
    yield from _steps(case)
    yield from check_offers(case)


def _reports(case: Case) -> Iterator[Finding]:
    accepted = {report.report_id for report in case.reports}
    linked = [fact.data["report_id"] for fact in case.of("reports")]
    opening = {fact.data["report_id"] for fact in case.of("decided")}
    for report_id in sorted(accepted - opening - set(linked)):
        yield Finding(
            "report-in-no-case",
            report_id,
            f"was accepted for the case {case.case_id}, which does not know it",
        )
    for report_id in sorted((set(linked) | opening) - accepted):
        yield Finding("stray-report", report_id, f"is in the case {case.case_id} but was not accepted for it")


def _numbers(case: Case) -> Iterator[Finding]:
    numbers = [step["number"] for step in case.steps]
    if sorted(set(numbers)) != list(range(1, len(set(numbers)) + 1)):
        yield Finding(
            "step-gap", case.case_id, f"has the steps {numbers}; they must be numbered from 1 without a gap"
        )
    elif numbers != sorted(numbers):
        yield Finding("step-order", case.case_id, f"has its steps stored in the order {numbers}")


def _owners(case: Case) -> Iterator[Finding]:
    for version in case.versions:
        for ref, person in version.persons.items():
            where, owner = f"after step {version.number} {ref} ({person['state']})", person["owner"]
            if person.get("old"):
                continue
            if owner is None and (person["state"] not in law.CLOSED or acting(person)):
                yield Finding("no-owner", case.case_id, f"{where} is open and nobody must act")
            elif owner and person["state"] in law.CLOSED and not acting(person):
                yield Finding(
                    "owner-of-closed", case.case_id, f"{where} is closed but {owner['agency']} owns it"
                )
            elif owner and owner["agency"] != "OPERATOR" and not _has_part(person, owner["agency"]):
                yield Finding(
                    "owner-without-part",
                    case.case_id,
                    f"{where}: {owner['agency']} owns it without a part to act",
                )


def _has_part(person: Person, agency: str) -> bool:
    return any(part["agency"] == agency for part in acting(person))


def _steps(case: Case) -> Iterator[Finding]:
    versions = {version.number: version for version in case.versions}
    done: list[dict[str, Any]] = []
    for step in case.steps:
        before = versions.get(step["number"] - 1)
        if before is None:
            continue
        done.append(step)
        name = f"step {step['number']} ({step['by']} said {trigger_of(step['said'])})"
        for reason in _illegal(step, before, done[:-1]):
            yield Finding("illegal-step", case.case_id, f"{name}: {reason}")
        for ref, person in versions[step["number"]].persons.items():
            reached = progressed(done, ref)
            if not law.shows_as(reached, person["state"]):
                yield Finding(
                    "wrong-state", case.case_id, f"{name} leaves {ref} {person['state']}, not {reached}"
                )
        yield from _wrong_owner(case, step, versions[step["number"]], name)


def _illegal(step: dict[str, Any], before: Version, earlier: list[dict[str, Any]]) -> Iterator[str]:
    said, by = step["said"], step["by"]
    if said["event"] == "VOID":
        yield from _void(said, by, {other["number"]: other["by"] for other in earlier})
    elif said["event"] == law.ACKNOWLEDGED:
        parts = [part for person in _concerned(said, before) for part in before.persons[person]["parts"]]
        if not any(part["active"] and part["agency"] == by for part in parts):
            yield f"{by} had no part to acknowledge"
    else:
        yield from _not_possible(step, before, earlier)


def _concerned(said: dict[str, Any], before: Version) -> list[str]:
    return [ref for ref in before.persons if said.get("person") in (None, ref)]


def _not_possible(step: dict[str, Any], before: Version, earlier: list[dict[str, Any]]) -> Iterator[str]:
    said, by, trigger = step["said"], step["by"], trigger_of(step["said"])
    hand_over = said["event"] in law.HAND_OVERS
    known = hand_over or by == "OPERATOR" or by in law.speakers_of(trigger)
    if not known and not _took_over(said, by, before):
        yield f"{by} may not say it"
    if said["event"] in ("SUCCEED", "LINK", law.RECKONED):
        return
    for ref in _concerned(said, before):
        person = before.persons[ref]
        if hand_over:
            yield from _hand_over(said, by, ref, person, earlier)
        elif reason := _progress(trigger, ref, person, progressed(earlier, ref)):
            yield reason


def _took_over(said: dict[str, Any], by: str, before: Version) -> bool:
    """Whether a body supervises all these persons by the case itself, as the successor of one the law names."""
    if said["event"] != "SUPERVISOR_CONCLUDED" or by not in law.SUCCESSORS:
        return False
    parts = [acting(before.persons[ref]) for ref in _concerned(said, before)]
    whens = [{part["when"] for part in found if part["agency"] == by} for found in parts]
    return all(found & {"STUDY_CONCLUDED:BREACH", "IDENTIFIED"} for found in whens)


def _void(said: dict[str, Any], by: str, speakers: dict[int, str]) -> Iterator[str]:
    if said["step"] not in speakers:
        yield f"there is no step {said['step']} to take back"
    elif by not in ("OPERATOR", speakers[said["step"]]):
        yield f"step {said['step']} was said by {speakers[said['step']]}"


def _progress(trigger: str, ref: str, person: Person, state: str) -> str | None:
    if trigger in law.MOVES:
        impossible = person["owner"] is None or state not in law.MEASURES.get(trigger, {state})
    else:
        impossible = law.leads_to(state, trigger) is None
        impossible |= person["state"] in law.CLOSED and person["state"] != state
    return f"it cannot be said of {ref}, who was {person['state']}" if impossible else None


def _hand_over(
    said: dict[str, Any], by: str, ref: str, person: Person, earlier: list[dict[str, Any]]
) -> Iterator[str]:
    owner, kind = person["owner"], said["event"]
    if owner is None:
        if not person.get("old"):
            yield f"{ref} was closed"
        return
    asked = any(
        s["said"]["event"] == "TRANSFER" and s["said"]["to"] == by and s["said"].get("person") in (None, ref)
        for s in standing(earlier)
    )
    may = by in ("OPERATOR", owner["agency"])
    may |= (kind == "DONE" and _has_part(person, by)) or (kind == "REFUSE" and asked)
    if kind == "ACCEPT" and not asked:
        yield f"{ref} was not transferred to {by}"
    elif kind != "ACCEPT" and not may:
        yield f"{ref} was owned by {owner['agency']}"


def _wrong_owner(case: Case, step: dict[str, Any], after: Version, name: str) -> Iterator[Finding]:
    """Whom a hand-over gives the file to."""
    said = step["said"]
    receiver = {"ACCEPT": step["by"], "ASSIGN": said.get("to"), "REFUSE": "OPERATOR"}.get(said["event"])
    receiver = said.get("to") if said["event"] == "RETURN" else receiver
    for ref, person in after.persons.items():
        owner = person["owner"] and person["owner"]["agency"]
        if receiver and said.get("person") in (None, ref) and owner != receiver:
            yield Finding(
                "wrong-owner", case.case_id, f"{name} leaves {ref} with {owner or 'nobody'}, not {receiver}"
            )
