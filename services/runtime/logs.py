"""One JSON line per event on standard output: codes, ids and numbers, never a text that others wrote."""

import logging
import re
import select
import sys
import traceback
from datetime import UTC, date, datetime
from enum import Enum
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

from opentelemetry import trace
from pydantic_core import to_json

MAX_TEXT = 200
"""Characters of a fact; what is longer was not a code, an id or a short reason."""
PATIENCE = 0.1
"""Seconds that all work waits for whoever reads our lines; until there is room again it waits no more."""
_AS_THEY_ARE = {bool, int, float, type(None)}
OURS = "netral"
_QUIETER = {"opentelemetry": logging.ERROR}
_OUR_CODE = ("services.", "contracts.", "deploy.")
_FRAMES = re.compile(r'^  File "[^\n]*\n', re.MULTILINE)
_IN_OUR_CODE = re.compile(r'/((?:services|contracts|deploy)/[\w/]+)\.py", line (\d+)')

_ours = logging.getLogger(OURS)
_SEVERITIES = logging.getLevelNamesMapping()
# Of a record no line of ours tells its thread, process or task: to find them takes a third of making it.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # from Python 3.12 on


def configure(service: str, level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (default standard output) as JSON lines.

    Our own lines from `level` up; those of libraries from WARNING up, without arguments and exception texts.
    """
    handler = _Lines(stream or sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):  # FastStream's writes past the root, from INFO up
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel(quieter)
    _ours.setLevel(level)
    sys.excepthook = _last_words


def log(event: str, /, *, level: str = "INFO", **facts: object) -> None:
    """Write one line. Facts are codes, ids and numbers; those that are None are left out.

    Inside a span its `trace_id` is added.
    """
    severity = _SEVERITIES[level]
    if not _ours.isEnabledFor(severity):
        return
    within = trace.get_current_span().get_span_context()
    if within.is_valid:
        facts.setdefault("trace_id", trace.format_trace_id(within.trace_id))
    # not Logger.log, which looks through the stack for a file and a line that no line of ours names
    _ours.handle(_ours.makeRecord(OURS, severity, "", 0, event, (), None, extra={"facts": facts}))


def where(problem: BaseException) -> str | None:
    """The innermost line of our own code that `problem` came through, as `module:line`."""
    found = None
    for frame, line in traceback.walk_tb(problem.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OUR_CODE):
            found = f"{module}:{line}"
    return found


class _Lines(logging.StreamHandler[TextIO]):
    """Where a line cannot be written (full disk, reader gone or asleep) work goes on; the next that can be says how many."""

    _missed = 0
    _why = ""

    def emit(self, record: logging.LogRecord) -> None:
        missed, self._missed = self._missed, 0
        if missed:
            facts = {"facts": {"lines": missed, "error": self._why}}
            self._put(_ours.makeRecord(OURS, logging.ERROR, "", 0, "log.missed", (), None, extra=facts), 0)
        if missed and self._missed:  # still not
            self._missed += missed
            return
        self._put(record, 0 if missed else PATIENCE)

    def _put(self, record: logging.LogRecord, patience: float) -> None:
        if _takes(self.stream, patience):
            super().emit(record)
        else:
            self._missed += 1
            self._why = BlockingIOError.__name__

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name logging calls
        """Not logging's, which prints a traceback and the arguments for each line, where standard error has room."""
        self._missed += 1
        self._why = type(sys.exception()).__name__


def _takes(stream: TextIO, patience: float) -> bool:
    """Whether a line can be written without waiting for its reader: a pipe that has room has it for a page."""
    room = select.poll()
    try:
        room.register(stream.fileno(), select.POLLOUT)
    except (AttributeError, OSError, ValueError):  # no file, which waits for nobody
        return True
    return bool(room.poll(patience * 1000))


class JsonLines(logging.Formatter):
    """`time` (UTC), `level`, `service`, `event`, then the facts."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name == OURS
        facts = record.__dict__.get("facts", {}) if ours else _of_a_library(record)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "service": self._service,
            "event": record.msg if ours else "library.said",
        }
        for name, value in facts.items():
            if value is not None:
                line.setdefault(name, plain(value))
        return to_json(line).decode()


def plain(value: object) -> Any:
    """A value as JSON has it. What is no code, id, number or list of those becomes the name of its type."""
    if type(value) in _AS_THEY_ARE or (type(value) is str and len(value) <= MAX_TEXT):
        return value
    match value:
        case Enum():
            return plain(value.value)
        case int() | float():
            return value
        case str():
            return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"
        case UUID() | date():
            return str(value)
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return type(value).__name__


def _of_a_library(record: logging.LogRecord) -> dict[str, object]:
    """Only what the library's author wrote: the first line of the pattern, without its arguments.

    With an exception not even that, because libraries like to paste the exception's text into the pattern.
    """
    problem = record.exc_info[1] if record.exc_info else None
    if problem:
        return {"logger": record.name, "error": type(problem).__name__, "where": where(problem)}
    said, _, rest = str(record.msg).partition("\n")
    if said.startswith("Traceback (most recent call last)"):
        return {"logger": record.name, **_pasted(rest)}
    return {"logger": record.name, "said": said}


def _pasted(trace: str) -> dict[str, object]:
    """What is told of an exception, read from a traceback as text: uvicorn has no more of an app that did not start."""
    ended = _FRAMES.split(trace)[-1]
    error = next((line for line in ended.splitlines() if line[:1].strip()), "").partition(":")[0]
    ours = _IN_OUR_CODE.findall(trace)
    found = f"{ours[-1][0].replace('/', '.')}:{ours[-1][1]}" if ours else None
    return {"error": error.rpartition(".")[2], "where": found}


def _last_words(kind: type[BaseException], problem: BaseException, _trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log("process.crashed", level="CRITICAL", error=kind.__name__, where=where(problem))
