"""Mutation testing of the rulebook: nearly every wrong rulebook is noticed, and the survivors are named."""

import random
from collections import Counter

import pytest

from services.routing.core.decide import Judge
from services.routing.core.engine import Engine
from services.routing.deciding import load_judge
from tests.routing.rules.golden import FILE, generated, outcome, stored, written
from tests.routing.rules.mutants import Mutant, mutants
from tests.routing.rules.nets import Nets
from tests.routing.rules.surviving import SEED, TRIES, surviving, told

SAMPLE = 70
"""Mutants judged in a test run; `python -m tests.routing.rules.test_mutants` judges all of them."""

ENOUGH = 0.95
SIGNED_ALONE = 0.85
"""The golden file repeats the rulebook, so what people signed must hold nearly all of it by itself."""


def test_the_golden_file_is_what_the_rulebook_says(judge: Judge) -> None:
    engine = Engine(judge.reasoner.book)
    changed = [c for c in stored() if outcome(engine.decide(c.situation, c.incident, c.handling)) != c.lines]
    assert not changed, (
        f"{len(changed)} answers changed; if the law did, write it anew (see golden.py): {changed[0]}"
    )


def test_the_golden_file_is_written_by_its_command(judge: Judge) -> None:
    assert FILE.read_text("utf-8") == written(generated(judge.reasoner.book))


def test_nearly_every_wrong_rulebook_is_noticed(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(SEED)
    sample = rng.sample(mutants(judge.reasoner.book), SAMPLE)
    score = Score(judge, sample, rng)
    with capsys.disabled():
        print(f"\n{score}")
    assert score.caught >= ENOUGH
    assert score.signed >= SIGNED_ALONE


def test_what_nobody_signed_is_named(judge: Judge) -> None:
    unreachable = [
        mutant for mutant in mutants(judge.reasoner.book) if mutant.rule.id == "bawaslu.from-centre"
    ]
    survivors = surviving(judge, unreachable)
    assert [mutant.kind for mutant in survivors][:1] == ["drop a rule"]
    assert "unsigned: drop a rule: bawaslu.from-centre\n" in told(survivors)
    assert told(survivors).endswith(f"nothing signed notices: {len(survivors)}")


class Score:
    """Which mutants each net caught; those that no net and no search tells from the real rulebook count as alike."""

    def __init__(self, judge: Judge, tried: list[Mutant], rng: random.Random) -> None:
        nets = Nets(judge)
        self.by_signed = [m for m in tried if nets.signed_kills(m)]
        rest = _without(tried, self.by_signed)
        self.by_golden = [m for m in rest if nets.golden_kills(m)]
        left = _without(rest, self.by_golden)
        self.alike = [m for m in left if nets.alike(m, rng, TRIES)]
        self.survivors = _without(left, self.alike)
        self.different = len(tried) - len(self.alike)
        self.all = _kinds(_without(tried, self.alike))

    @property
    def signed(self) -> float:
        return len(self.by_signed) / self.different

    @property
    def caught(self) -> float:
        return 1 - len(self.survivors) / self.different

    def __str__(self) -> str:
        mine = _kinds(self.by_signed)
        return "\n".join(
            [
                f"wrong rulebooks: {self.different}, and {len(self.alike)} more that say what the real one says",
                f"noticed with the golden file: {self.caught:.1%}",
                f"noticed by what is signed alone (examples, cut-overs, 22 cases): {self.signed:.1%}",
                *(f"  {kind}: {mine[kind]} of {count}" for kind, count in sorted(self.all.items())),
                *(f"survivor: {mutant}" for mutant in self.survivors),
                *(f"no different: {mutant}" for mutant in self.alike),
            ]
        )


def _without(mutants_: list[Mutant], taken: list[Mutant]) -> list[Mutant]:
    ids = {id(mutant) for mutant in taken}
    return [mutant for mutant in mutants_ if id(mutant) not in ids]


def _kinds(mutants_: list[Mutant]) -> Counter[str]:
    return Counter(mutant.kind.split(" by ")[0] for mutant in mutants_)


if __name__ == "__main__":
    real = load_judge()
    print(Score(real, mutants(real.reasoner.book), random.Random(SEED)))
