"""Checks that rulebook and calendars in force are the packaged ones: an upgrade of the software does not change them."""

from services.cli.case_files import judge
from services.cli.casework import OPERATOR, ask
from services.cli.checks.finding import ROUTING, Finding, ok, warn
from services.cli.errors import Stop


def law() -> Finding:
    """A warning where they differ: somebody has to decide whether the packaged one becomes law."""
    try:
        told = ask("/v1/operator/rulebook", OPERATOR, what="the rulebook in force")
        packaged = judge().reasoner.book
    except Stop as trouble:
        return warn("rulebook", f"cannot be compared ({trouble})", ROUTING)
    version, digest = told["rulebook"]["version"], told["rulebook"]["digest"]
    says = f"{version} is the law since {told['loaded_at']} (change {told['number']})"
    if digest == packaged.digest:
        return ok("rulebook", says)
    cure = "compare them with `netral rules diff`; `netral rules load` makes the packaged one the law"
    return warn("rulebook", f"{says}; the packaged one, {packaged.version}, differs", cure)


def calendars() -> Finding:
    """A warning where they differ: somebody has to decide whether the packaged ones are put in force."""
    try:
        told = ask("/v1/operator/calendars", OPERATOR, what="the calendars in force")
        packaged = judge().calendar
    except Stop as trouble:
        return warn("calendars", f"cannot be compared ({trouble})", ROUTING)
    says = f"{told['calendar']['version']} in force since {told['loaded_at']} (change {told['number']})"
    if told["calendar"]["digest"] == packaged.digest:
        return ok("calendars", says)
    cure = "see what they would move with `netral calendar load FOLDER --dry-run`; without it they are put in force"
    return warn("calendars", f"{says}; the packaged ones, {packaged.version}, differ", cure)
