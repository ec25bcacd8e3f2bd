"""The 18-digit numbers of civil servants: NIP of PNS and NI of PPPK, checked by structure only.

PNS: birth YYYYMMDD, appointment YYYYMM, sex 1 or 2, serial 001-999. PPPK: birth, year of first appointment, contract
code 20-29, sex, serial. There is no check digit, so a well-formed number proves nothing about the person
(Perka BKN 22 and 43/2007). A number shows a birth date and a sex: never log or mail it.
"""

import re
from datetime import date

_SEPARATORS = re.compile(r"^(?:NIP|NI\s*PPPK)\s*[.:]?|[ .\-]", re.IGNORECASE)


def normalised(text: str) -> str:
    """The bare digits of a number written with blanks, dots or a leading `NIP.`."""
    return _SEPARATORS.sub("", text.strip())


def problem_with(text: str) -> str | None:
    """What is structurally wrong with a NIP or NI PPPK, in words that fit after the field's name; None if nothing."""
    digits = normalised(text)
    if not digits.isascii() or not digits.isdigit():
        return "may hold ASCII digits only (blanks and dots between them are allowed)"
    if len(digits) != 18:
        return f"has {len(digits)} digits; a NIP or NI PPPK has 18"
    born = _day(digits[:8])
    if born is None:
        return "does not begin with a birth date (YYYYMMDD)"
    return _problem_with_career(digits, born)


def _problem_with_career(digits: str, born: date) -> str | None:
    code = int(digits[12:14])
    if not (1 <= code <= 12 or 20 <= code <= 29):
        return "has neither a month (01-12, PNS) nor a contract code (20-29, PPPK) as digits 13 and 14"
    if not 15 <= int(digits[8:12]) - born.year <= 70:
        return "places the appointment less than 15 or more than 70 years after the birth"
    if digits[14] not in "12":
        return "has neither 1 nor 2 as digit 15 (sex)"
    return "ends with serial 000; serials begin at 001" if digits[15:] == "000" else None


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
