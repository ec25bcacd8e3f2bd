"""Checks that the rulebook in force is the packaged one: an upgrade of the software does not change the law."""

from services.cli.case_files import judge
from services.cli.casework import OPERATOR, ask
from services.cli.checks.finding import Finding, ok, warn
from services.cli.errors import Stop


def law() -> Finding:
    """A warning where they differ: somebody has to decide whether the packaged one becomes law."""
    try:
        told = ask("/v1/operator/rulebook", OPERATOR, what="the rulebook in force")
        packaged = judge().reasoner.book
    except Stop as trouble:
        return warn("rulebook", f"cannot be compared ({trouble})", "start the system with `netral up`")
    version, digest = told["rulebook"]["version"], told["rulebook"]["digest"]
    says = f"{version} is the law since {told['loaded_at']} (change {told['number']})"
    if digest == packaged.digest:
        return ok("rulebook", says)
    cure = "compare them with `netral rules diff`; `netral rules load` makes the packaged one the law"
    return warn("rulebook", f"{says}; the packaged one, {packaged.version}, differs", cure)
