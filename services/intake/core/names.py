"""Compares names of persons as people write them in Indonesia: titles, initials, old spelling, slips of the finger."""

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

_TITLES = (
    "bapak bpk pak ibu bu sdr sdri ny tn h hj kh tgh ust ustadz prof dr drs dra drg drh ir apt ns rd raden rr "
    "sh se st ss sp si sag spd sos skom skep stp sip sst mh mm mt ma mpd msi msc mkes mkom mba phd amd amk ama "
    "alm almh plt plh pj"
)
TITLES = frozenset(_TITLES.split())
"""What stands before or behind a name and is none, without its dots."""
_OLD_AND_NEW = "oe>u tj>c dj>j nj>ny sj>sy ch>h kh>h th>t dh>d bh>b gh>g ph>f v>f q>k z>s x>ks ie>i y>i"
_SPELLINGS = tuple(pair.split(">") for pair in _OLD_AND_NEW.split())
"""Old and new ways to write one sound, in this order."""
EVERYBODY_S = "muhamad"
"""The one given name that is nearly always shortened; alone it tells nobody from others."""
_ONE_NAME = dict.fromkeys(("moh", "muh", "mohd", "mhd", "mohamad", "muhamat", "mohamat"), EVERYBODY_S)
_WITH_DOTS = re.compile(r"[^\W\d_]{1,5}(?:\.[^\W\d_]{1,5})+\.?")

SLIP = 0.7
"""Two words are one with a slip if this much of them agrees."""
OTHER_BEGINNING = 0.15
"""Taken off where the first letters differ: slips are rare there."""
INITIAL = 0.85
"""An initial for a word that begins with it."""
LEFT_OUT = 0.05
"""Taken off for each word that only one of the names has; where one name is a single word, three times as much."""
AT_MOST_LEFT_OUT = 0.2


def similarity(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; 0 if one of them holds no name."""
    first, second = words_of(one), words_of(other)
    if not first or not second:
        return 0.0
    if sorted(first) == sorted(second):
        return 1.0
    joined = OSA.normalized_similarity("".join(first), "".join(second))
    return max(_aligned(first, second), joined if joined > 0.9 else 0.0)


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in one spelling, without titles; a lone letter is an initial."""
    flat = unicodedata.normalize("NFKD", name).casefold()
    flat = "".join(c for c in flat if not unicodedata.combining(c) and c not in "'’`")
    words = [word for word in re.split(r"[\s,;/()]+", flat) if word]
    bare = [re.sub(r"[^\w]|\d|_", "", word) for word in words if not _is_title(word)]
    return tuple(_spelt(word) for word in bare if word)


def _is_title(word: str) -> bool:
    if word.replace(".", "") in TITLES:
        return True
    parts = word.strip(".").split(".")
    return bool(_WITH_DOTS.fullmatch(word)) and any(len(part) > 1 for part in parts)


def _spelt(word: str) -> str:
    for old, new in _SPELLINGS:
        word = word.replace(old, new)
    word = re.sub(r"(.)\1+", r"\1", word)
    return _ONE_NAME.get(word, word)


def _aligned(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """Each word of the shorter name with its best word of the other; 0 if one of them finds none."""
    few, many = sorted((first, second), key=len)
    free, total, letters = list(many), 0.0, 0
    for word in sorted(few, key=len, reverse=True):
        best = max(free, key=lambda other: _alike(word, other))
        likeness = _alike(word, best)
        if likeness < SLIP:
            return 0.0
        free.remove(best)
        weight = max(len(word), len(best))
        total, letters = total + likeness * weight, letters + weight
    left_out = min(AT_MOST_LEFT_OUT, LEFT_OUT * len(free) * (3 if len(few) == 1 else 1))
    telling = all(any(len(word) > 1 and word != EVERYBODY_S for word in words) for words in (few, many))
    return max(0.0, total / letters - left_out) if telling else 0.0


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if 1 in (len(one), len(other)):
        return INITIAL if one[0] == other[0] else 0.0
    return float(OSA.normalized_similarity(one, other)) - (OTHER_BEGINNING if one[0] != other[0] else 0)
