"""Checks the time limits of a case: counted rightly, none missed, none said twice, too early or for nothing."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from contracts import regions
from services.cli.verify import law
from services.cli.verify.days import DaysOff, last_day, over_at
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person, acting, standing, trigger_of
from services.cli.verify.logbook import Fact

GRACE = timedelta(minutes=25)
"""What was due is said by its timer at once; the sweep behind it needs two looks at most, and its patience."""
Key = tuple[str, str, str, str]
"""Person, agency, last day and level."""


class Run(NamedTuple):
    """From when to when a limit ran, and the instant at which there is something to say.

    `began` and `ended` are start and end as far as the broker's clock confirms them: a case that was opened by a clock an
    hour behind did not wait for that hour. `follows` and `before` are the places in the stream of its start and end.
    """

    start: datetime
    end: datetime | None
    at: datetime
    began: datetime
    ended: datetime | None
    follows: int
    before: int | None


def check_dues(case: Case, now: datetime, off: dict[str, DaysOff]) -> Iterator[Finding]:
    """`off` are the days off by the version a limit names; limits counted by others are taken as recorded."""
    if len(case.of("decided")) != 1:
        return
    runs, opened = runs_of(case), case.versions[0].at
    said: dict[Key, Fact] = {}
    for fact in case.of("due"):
        data = fact.data
        said[data["person"], data["agency"], data["last_day"], data["level"]] = fact
    said |= {(f.data["person"], "OPERATOR", f.data["last_day"], "QUEUE"): f for f in case.of("waiting")}
    for key, found in runs.items():
        if (
            key not in said
            and any(_passed(run, now) for run in found)
            and not _too_late_to_remind(key, found, opened)
        ):
            yield Finding("due-missed", case.case_id, f"{_named(key)} was never said")
    for key, fact in said.items():
        if key not in runs:
            yield Finding("due-for-nothing", case.case_id, f"{_named(key)} was said, but no such limit ran")
        elif not any(run.at <= fact.at and _within(run, fact) for run in runs[key]):
            yield Finding(
                "due-at-wrong-time",
                case.case_id,
                f"{_named(key)} was said at {fact.at.isoformat()}, when it was not due",
            )
    yield from _queued(case)
    yield from _silent(case, said)
    yield from _counted(case, off)


def _queued(case: Case) -> Iterator[Finding]:
    """What waits in a queue is told by the name of that queue."""
    for data in (fact.data for fact in case.of("waiting")):
        there = [version.persons.get(data["person"]) or {} for version in case.versions]
        queues = {p["owner"]["why"] for p in there if p.get("owner") and p.get("alarm")}
        if queues and data["reason"] not in queues:
            says = (
                f"{data['person']} was said to wait in {data['reason']}, not in {' or '.join(sorted(queues))}"
            )
            yield Finding("wrong-queue", case.case_id, says)


def _silent(case: Case, said: dict[Key, Fact]) -> Iterator[Finding]:
    """Who owes a sanction and lets the limit pass is silent, by a step of the same moment; else the matter dies there."""
    silent = [(f.at, f.data["said"].get("person")) for f in case.of("step") if _is_silence(f.data["said"])]
    for ref, person in case.versions[-1].persons.items():
        for due in person["dues"] if person["state"] in law.OWES_SANCTION else ():
            key = (ref, due["agency"], due["last_day"], "OVERDUE")
            if key not in said or not _owed_sanction(case, person, due["agency"], said[key].at):
                continue
            if not any(said[key].at - GRACE <= at and about in (None, ref) for at, about in silent):
                says = f"{_named(key)} was said, and the matter stays there"
                yield Finding("silence-unsaid", case.case_id, says)


def _owed_sanction(case: Case, person: Person, agency: str, at: datetime) -> bool:
    """Whether all that an agency has to do about a person by a limit began with the recommendation, said before `at`."""
    parts = [part for part in acting(person) if part["deadline"] and part["agency"] == agency]
    stood = [version.persons[person["ref"]]["state"] for version in case.versions if version.at <= at]
    recommended = bool(parts) and all(part["when"] == law.RECOMMENDED for part in parts)
    return recommended and bool(stood) and stood[-1] in law.OWES_SANCTION


def _is_silence(said: dict[str, Any]) -> bool:
    return trigger_of(said) == "PPK_CONCLUDED:SILENT"


def runs_of(case: Case) -> dict[Key, list[Run]]:
    """Every limit and level that ever ran, with the stretches in which it did."""
    runs: dict[Key, list[Run]] = {}
    versions = case.versions
    for number, version in enumerate(versions):
        after = versions[number + 1] if number + 1 < len(versions) else None
        end, ended, before = (after.at, after.happened, after.seq) if after else (None, None, None)
        for ref, person in version.persons.items():
            for key, at in _levels(ref, person):
                run = Run(version.at, end, at, version.happened, ended, version.seq, before)
                runs.setdefault(key, []).append(run)
    return {key: _joined(found) for key, found in runs.items()}


def _levels(ref: str, person: Person) -> Iterator[tuple[Key, datetime]]:
    """What is said when of the limits that run about a person, and of how long the operator may let it wait."""
    for due in person["dues"]:
        for level, name in (("REMINDER", "remind_at"), ("OVERDUE", "over_at")):
            yield (ref, due["agency"], due["last_day"], level), datetime.fromisoformat(due[name])
    if alarm := person.get("alarm"):
        yield (ref, "OPERATOR", alarm["last_day"], "QUEUE"), datetime.fromisoformat(alarm["at"])


def _joined(found: list[Run]) -> list[Run]:
    """Stretches that follow each other without a break are one."""
    joined: list[Run] = []
    for run in found:
        if joined and joined[-1].end == run.start and joined[-1].at == run.at:
            joined[-1] = joined[-1]._replace(end=run.end, ended=run.ended, before=run.before)
        else:
            joined.append(run)
    return joined


def _passed(run: Run, now: datetime) -> bool:
    """Whether it was due and running long enough to be said."""
    return max(run.at, run.began) + GRACE < min(run.ended or now, now)


def _too_late_to_remind(key: Key, runs: list[Run], opened: datetime) -> bool:
    return key[3] == "REMINDER" and all(run.at <= opened for run in runs)


def _within(run: Run, said: Fact) -> bool:
    """By the times that were written, or by the order of the stream where a clock that was days ahead wrote one of them."""
    if run.follows < said.seq and (run.before is None or said.seq < run.before):
        return True
    return run.start - GRACE <= said.at and (run.end is None or said.at <= run.end + GRACE)


def _named(key: Key) -> str:
    ref, agency, day, level = key
    what = "three quarters of it" if level == "REMINDER" else "its end"
    return f"the limit of {agency} about {ref} until {day}: {what}"


def _counted(case: Case, off: dict[str, DaysOff]) -> Iterator[Finding]:
    """The limits counted a second time, from the reports, the steps and the calendar."""
    if not case.reports or any(step["said"]["event"] in ("RETURN", "SUCCEED") for step in case.steps):
        return  # a returned file's clock stood still; how long is not counted again here
    zone = regions.zone_of(case.reports[0].region)
    for number, version in enumerate(case.versions):
        heard = [step["said"] for step in standing(case.steps[:number])]
        for ref, person in version.persons.items():
            for due in person["dues"]:
                name = f"step {number}: the limit of {due['agency']} about {ref}"
                for says in _miscounted(due, _wanted(case, person, ref, due, heard, off), zone):
                    yield Finding("wrong-limit", case.case_id, f"{name} {says}")


def _miscounted(due: dict[str, Any], wanted: set[date], zone: ZoneInfo) -> Iterator[str]:
    recorded = date.fromisoformat(due["last_day"])
    if wanted and recorded not in wanted:
        yield f"runs until {recorded}, by another count until {' or '.join(map(str, sorted(wanted)))}"
    elif wanted and datetime.fromisoformat(due["over_at"]) != over_at(recorded, zone):
        yield f"is over at {due['over_at']}, which is not the end of {recorded} there"


def _wanted(
    case: Case,
    person: Person,
    ref: str,
    due: dict[str, Any],
    heard: list[dict[str, Any]],
    off: dict[str, DaysOff],
) -> set[date]:
    """The last days its parts allow; none where a part counts hours or an unknown calendar."""
    found = set[date]()
    for part in acting(person):
        deadline = part["deadline"]
        if not deadline or (part["agency"], part["office"]) != (due["agency"], due["office"]):
            continue
        since = _since(case, deadline["since"], ref, heard)
        if deadline["unit"] == "HOUR" or due["calendar"] not in off:
            return set()
        if since:
            found.add(last_day(since, deadline["count"], deadline["unit"], off[due["calendar"]]))
    return found


def _since(case: Case, what: str, ref: str, heard: list[dict[str, Any]]) -> date | None:
    first = case.of("decided")[0].data
    report = next((r for r in case.reports if r.report_id == first["report_id"]), None)
    days = {
        "KNOWN": report and report.known,
        "REPORTED": report and report.reported,
        "OPENED": first["decision"]["handled_on"],
    }
    if what in days:
        return date.fromisoformat(str(days[what])) if days[what] else None
    return max(
        (date.fromisoformat(s["on"]) for s in heard if s["event"] == what and s.get("person") in (None, ref)),
        default=None,
    )
