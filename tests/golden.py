"""Writes schemas and the pages of settings and steps anew (`make schemas`); golden tests compare with what is committed."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from contracts.agency_events import AGENCY_EVENTS
from contracts.asyncapi import asyncapi_document
from contracts.decision import Decision
from contracts.events import EVENTS
from contracts.progress import Progress
from contracts.report import Report
from contracts.webhooks import WEBHOOK_MESSAGES
from services.cli.settings_list import PROCESSES
from services.routing.core.lifecycle import MARKS, MEASURES, QUEUES, STATES, WAYS, Way

SCHEMAS = Path(__file__).parents[1] / "contracts" / "schemas"
SETTINGS = Path(__file__).parents[1] / "docs" / "settings.md"
_SETTINGS = (
    "# Settings",
    "",
    "Environment variables; each may stand in the TOML file that `NETRAL_CONFIG` names (`netral.toml` of the working folder",
    "where it is not set), without prefix, in small letters.",
    "`netral settings` shows the values in force and where each comes from. Secrets are files in `secrets/` of the data,",
    "never settings. The `OTEL_*` variables: [telemetry.md](telemetry.md). Written from the code (`make schemas`).",
    "",
    "| variable | default | meaning | read by |",
    "| --- | --- | --- | --- |",
)
STEPS = Path(__file__).parents[1] / "docs" / "steps.md"
_STEPS = """# Who may say what, and when

For a lawyer who checks the table by which a case lives, and for an officer who wants to know which step comes next. Written
from the code (`make schemas`; `services/routing/core/lifecycle.py`); why it is so: [life.md](life.md). The operator may say
each step on behalf of the body it belongs to. A step that is impossible is refused with the state and what is possible.
"""
_STEP_HEAD = ("| step | said by | of a person who is | who is then |", "| --- | --- | --- | --- |")
ASYNCAPI = "netral.agencies.asyncapi.v1"
DOCUMENTS: dict[str, Any] = {
    "netral.report.v1": Report,
    "netral.decision.v1": Decision,
    "netral.progress.v1": Progress,
    **{event.model_fields["type"].default: event for event in (*EVENTS, *AGENCY_EVENTS, *WEBHOOK_MESSAGES)},
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a published document, as it is written."""
    schema = TypeAdapter(DOCUMENTS[name]).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:netral:{name}", **schema}


def settings_page() -> str:
    """docs/settings.md: every setting once, with its default and who reads it."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for process, kind in PROCESSES:
        for name, field in kind.model_fields.items():
            default = field.get_default(call_default_factory=True)
            shown = "" if default is None else f"`{default}`" if str(default) else "(empty)"
            readers = rows.setdefault((f"`NETRAL_{name.upper()}`", shown, field.description or ""), [])
            if "all" not in readers:
                readers.append(process)
    lines = [f"| {name} | {shown} | {said} | {', '.join(who)} |" for (name, shown, said), who in rows.items()]
    return "\n".join((*_SETTINGS, *lines, ""))


def steps_page() -> str:
    """docs/steps.md: the life-cycle table, its states, marks and queues."""
    lines = [_STEPS, "## Progress (`POST …/progress`)", "", *_STEP_HEAD]
    lines += [_way(trigger, way) for trigger, way in WAYS.items()]
    lines += ["", "## About a PPK that does not act or may not (`POST …/moves`)", "", *_STEP_HEAD]
    lines += [_way(kind, way) for kind, way in MEASURES.items()]
    lines += ["", "## States", "", "| code | label | in English | |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{s.code}` | {s.id} | {s.en} | {'closed: nobody must act' if s.closed else 'open'} |"
        for s in STATES.values()
    ]
    for title, words in (
        ("Marks beside the state", MARKS),
        ("Why a file stands with the operator", QUEUES),
    ):
        lines += ["", f"## {title}", "", "| code | label | in English |", "| --- | --- | --- |"]
        lines += [f"| `{code}` | {label} | {english} |" for code, (label, english) in words.items()]
    return "\n".join((*lines, ""))


def _way(step: str, way: Way) -> str:
    after = ", ".join(f"`{code}`" for code in STATES if code in way.after)
    if way.after == {code for code, state in STATES.items() if not state.closed}:
        after = "in any open state"
    to = f"`{way.to}` ({STATES[way.to].id})" if way.to else "as before"
    return f"| `{step}` | {', '.join(sorted(way.speakers))} | {after} | {to} |"


def main() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    SETTINGS.write_text(settings_page(), encoding="utf-8")
    STEPS.write_text(steps_page(), encoding="utf-8")
    for name in DOCUMENTS:
        _write(name, schema_of(name))
    _write(ASYNCAPI, asyncapi_document())


def _write(name: str, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    (SCHEMAS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
