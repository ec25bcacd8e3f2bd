"""Keys that near matches share, so that a report is compared with few others.

Every key is an HMAC with the key of the door: the database tells nobody's number, name or file.
"""

import hashlib
import hmac
from typing import NamedTuple

from contracts import regions
from services.intake.core.matching import Told
from services.intake.core.names import EVERYBODY_S, words_of

MOST_PERSONS = 60
WORDS_OF_A_NAME = 3
SHORTEST_WORD = 3
_VOWELS = str.maketrans("", "", "aeiou")


class Keys(NamedTuple):
    """`near` keys are looked up among reports of days close by, `ever` keys among all."""

    near: frozenset[str]
    ever: frozenset[str]


def keys_of(told: Told, door_key: bytes) -> Keys:
    """The keys of a report: its regency, its persons' numbers and names within the province, its files."""
    province = regions.province_of(told.region)
    persons = told.persons[:MOST_PERSONS]
    near = {_key(door_key, "place", told.region)}
    near |= {_key(door_key, "nip", who.nip) for who in persons if who.nip}
    near |= {_key(door_key, "name", f"{province}/{word}") for who in persons for word in _sounds(who.name)}
    return Keys(frozenset(near), frozenset(_key(door_key, "file", file) for file in told.files))


def _sounds(name: str) -> set[str]:
    """The longest words of a name by their first letter and next consonants: most slips leave one of them alone."""
    words = [word for word in words_of(name) if len(word) >= SHORTEST_WORD and word != EVERYBODY_S]
    longest = sorted(words, key=len, reverse=True)[:WORDS_OF_A_NAME]
    return {(word[0] + word[1:].translate(_VOWELS))[:3] for word in longest}


def _key(door_key: bytes, kind: str, text: str) -> str:
    return hmac.digest(door_key, f"match/{kind}\x00{text}".encode(), hashlib.sha256)[:16].hex()
