"""A labelled set of pairs of reports. Names are letters drawn by a fixed seed: they are nobody's."""

import copy
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

Report = dict[str, Any]
SEED = 20241204
_CONSONANTS, _VOWELS = "bdgklmnprstw", "aiueo"


class Letters:
    """Draws placeholders: words of syllables, numbers of the right form, days and places."""

    def __init__(self, seed: int = SEED) -> None:
        self.dice = random.Random(seed)

    def word(self, syllables: int) -> str:
        return "".join(
            self.dice.choice(_CONSONANTS) + self.dice.choice(_VOWELS) for _ in range(syllables)
        ).capitalize()

    def name(self) -> str:
        return " ".join(self.word(self.dice.choice((2, 3, 4))) for _ in range(self.dice.choice((2, 2, 3))))

    def nip(self) -> str:
        return self._number("15201503")

    def pppk(self) -> str:
        return self._number(f"1520232{self.dice.randint(0, 9)}")

    def _number(self, career: str) -> str:
        born = f"19{self.dice.randint(65, 94)}{self.dice.randint(1, 12):02}"
        return f"{born}{career}{self.dice.choice('12')}{self.dice.randint(1, 999):03}"

    def file(self) -> str:
        return f"{self.dice.getrandbits(256):064x}"


def a_report(letters: Letters, **person: Any) -> Report:
    """A report of one named person."""
    day = date(2024, 10, 1) + timedelta(letters.dice.randint(0, 40))
    who = {"ref": "p1", "status": "PNS", "name": letters.name(), "post": "Guru", **person}
    return {
        "persons": [who],
        "incident": {
            "occurred_on": str(day),
            "region": letters.dice.choice(("kemendagri:52.04", "kemendagri:33.25")),
        },
        "election": {"kind": "PILKADA", "year": 2024},
        "acts": [{"person": "p1", "code": letters.dice.choice(("PHOTO_WITH_CANDIDATE", "JOIN_CAMPAIGN"))}],
        "evidence": [{"sha256": letters.file()}],
    }


def _named(report: Report, change: Callable[[str], str]) -> Report:
    changed = copy.deepcopy(report)
    changed["persons"][0]["name"] = change(changed["persons"][0]["name"])
    changed["evidence"] = []
    return changed


def _moved(report: Report, days: int = 0, **changes: Any) -> Report:
    changed = copy.deepcopy(report)
    day = date.fromisoformat(changed["incident"]["occurred_on"]) + timedelta(days)
    changed["incident"] |= {"occurred_on": str(day), **changes.get("incident", {})}
    changed["persons"][0] |= changes.get("person", {})
    changed["acts"][0] |= changes.get("act", {})
    if not changes.get("keeps_evidence"):
        changed["evidence"] = []
    return changed


def _slip(letters: Letters, name: str) -> str:
    """One slip of the finger inside the longest word."""
    words = name.split()
    longest = max(range(len(words)), key=lambda n: len(words[n]))
    word = words[longest]
    at = letters.dice.randrange(1, len(word) - 1)
    words[longest] = letters.dice.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
    return " ".join(words)


def _old(name: str) -> str:
    return name.replace("u", "oe").replace("j", "dj")


def _initial(name: str) -> str:
    first, *rest = name.split()
    return " ".join([*([first]), *(f"{word[0]}." for word in rest[:-1]), rest[-1]]) if len(rest) > 1 else name


def same(letters: Letters) -> Iterator[tuple[str, Report, Report]]:
    """Two reports of one event, as two people tell it."""
    one = a_report(letters)
    name = one["persons"][0]["name"]
    yield "titles", one, _named(one, lambda n: f"Drs. H. {n}, S.Pd., M.Si.")
    yield "titles without dots", one, _named(one, lambda n: f"Ibu {n} SE MM")
    yield "slip", one, _named(one, lambda n: _slip(letters, n))
    yield "slip and next day", one, _moved(_named(one, lambda n: _slip(letters, n)), 1)
    yield "old spelling", one, _named(one, _old)
    yield "initial", one, _named(one, _initial)
    yield (
        "capitals, other act of the kind",
        one,
        _moved(_named(one, str.upper), act={"code": "ATTEND_DECLARATION"}),
    )
    yield "words turned", one, _named(one, lambda n: " ".join(reversed(n.split())))
    yield "one word of the name", one, _named(one, lambda n: max(n.split(), key=len))
    yield "province only", one, _moved(one, incident={"region": one["incident"]["region"][:13]})
    number = letters.nip()
    numbered = _moved(one, person={"nip": number})
    yield "number, other name", numbered, _moved(numbered, 1, person={"name": letters.name()})
    yield "number on one side", numbered, _named(one, lambda n: f"{n}, S.H.")
    wrong = number[:15] + ("2" if number[15] == "1" else "1") + number[16:]
    yield (
        "number with a slip",
        numbered,
        _moved(numbered, person={"nip": wrong, "name": _slip(letters, name)}),
    )
    pppk = letters.pppk()
    contract = _moved(one, person={"nip": pppk, "status": "PPPK"})
    renewed = pppk[:13] + str((int(pppk[13]) + 1) % 10) + pppk[14:]
    yield "PPPK, contract renewed", contract, _moved(contract, person={"nip": renewed})
    nobody = _moved(one, person={"name": "", "post": "Camat Kecamatan Tiga"})
    yield "no name, written post", _moved(one, person={"post": "Camat kecamatan tiga"}), nobody
    viral = _moved(one, 9, keeps_evidence=True, incident={"region": "kemendagri:73.71"})
    yield "one file, other day and place", one, viral
    several = copy.deepcopy(one)
    several["persons"] += [{"ref": f"p{n}", "status": "PNS", "name": letters.name()} for n in (2, 3)]
    several["evidence"] = []
    yield "one of several", several, _named(one, lambda n: f"{n}, S.Ag.")


def different(letters: Letters) -> Iterator[tuple[str, Report, Report]]:
    """Two events, however near."""
    one, name = a_report(letters), letters.name()
    yield "another person beside", one, _named(one, lambda _: name)
    shared = one["persons"][0]["name"].split()[0]
    yield "one word in common", one, _named(one, lambda _: f"{shared} {letters.word(3)}")
    yield "the same file, another person", one, _moved(one, keeps_evidence=True, person={"name": name})
    yield "another month", one, _moved(one, 30)
    yield "another province", one, _moved(one, incident={"region": "kemendagri:73.71"})
    numbered = _moved(one, person={"nip": letters.nip()})
    yield "another number", numbered, _moved(numbered, person={"nip": letters.nip()})
    yield "another teacher without a name", _moved(one, person={"name": ""}), _moved(one, person={"name": ""})
    other = copy.deepcopy(one)
    other["election"] = {"kind": "PEMILU", "year": 2024}
    yield "another election", one, other
    yield (
        "days apart, other act",
        one,
        _moved(
            _named(one, lambda n: _slip(letters, n)),
            3,
            act={"code": "SUPPORT_LETTER"},
            incident={"region": one["incident"]["region"][:13]},
        ),
    )
    pair = copy.deepcopy(one)
    pair["persons"].append({"ref": "p2", "status": "PNS", "name": letters.name()})
    half = copy.deepcopy(pair)
    half["persons"][1]["name"] = letters.name()
    half["evidence"] = []
    yield "one of two persons", pair, half
    yield "strangers", one, a_report(letters)
