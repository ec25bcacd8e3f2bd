"""The entry of `netral`: runs a command and turns whatever goes wrong into one sentence and an exit code."""

import gc
import os
import sys
import traceback

import typer

from services.cli.commands import app
from services.cli.console import complain
from services.cli.errors import BAD_INPUT, TROUBLE, Stop

INTERRUPTED = 130
PIPE_CLOSED = 141


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 (trouble), 2 (bad input), 130 (interrupted), 141 (no reader).

    `--debug` is taken from anywhere on the line and shows the traceback of what went wrong.
    """
    gc.set_threshold(20_000, 10, 10)  # as the services do (ADR 0094): a command is an eighth quicker
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    words = [word for word in given if word != "--debug"] or ["--help"]
    try:
        code = app(words, prog_name="netral", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as problem:
        if debug:
            traceback.print_exc()
        return _explained(problem)
    return code if isinstance(code, int) else 0


def _explained(problem: Exception) -> int:
    from services.runtime.settings import BadSettings  # noqa: PLC0415 - a command that goes well does not wait for it

    match problem:
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return PIPE_CLOSED
        case Stop():
            complain(str(problem))
            return problem.code
        case BadSettings():
            complain(f"netral: {problem}")
            return TROUBLE
        case typer.TyperException():
            context = getattr(problem, "ctx", None)
            where = context.command_path if context else "netral"
            complain(f"netral: {problem.format_message()} (see `{where} --help`)")
            return BAD_INPUT
        case typer.Abort():
            return INTERRUPTED
        case OSError():
            complain(
                f"netral: {problem.filename or 'the system'}: {problem.strerror or type(problem).__name__}"
            )
            return TROUBLE
    complain(f"netral: stopped by an unexpected {type(problem).__name__}; `netral --debug …` shows where")
    return TROUBLE
