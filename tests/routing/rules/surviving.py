"""Names the wrong rulebooks that nothing signed notices: `python -m tests.routing.rules.surviving [part of a rule's id]`.

Each is a case that nobody has signed yet. The golden file and a search tell them from those that change nothing.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterable

from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from tests.routing.rules.mutants import Mutant, mutants
from tests.routing.rules.nets import Nets

SEED = 20241127
TRIES = 1500


def surviving(judge: Judge, tried: Iterable[Mutant]) -> list[Mutant]:
    """The mutants that differ from the rulebook, and that no signed example, cut-over or real case notices."""
    nets, rng = Nets(judge), random.Random(SEED)
    unnoticed = [mutant for mutant in tried if not nets.signed_kills(mutant)]
    return [m for m in unnoticed if nets.golden_kills(m) or not nets.alike(m, rng, TRIES)]


def told(survivors: list[Mutant]) -> str:
    """The survivors, one a line, and how many there are of each kind."""
    kinds = Counter(mutant.kind.split(" by ")[0] for mutant in survivors)
    return "\n".join(
        [
            *(f"unsigned: {mutant}" for mutant in survivors),
            *(f"  {kind}: {count}" for kind, count in sorted(kinds.items())),
            f"wrong rulebooks that nothing signed notices: {len(survivors)}",
        ]
    )


if __name__ == "__main__":
    real = load_judge()
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    print(told(surviving(real, [m for m in mutants(real.reasoner.book) if asked in m.rule.id])))
