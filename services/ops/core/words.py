"""Says in Indonesian what routing's story of a case says in English. Pure; a phrase that is not known stays as it is."""

import re

_PHRASES = {
    "report linked": "laporan ditautkan",
    "report of the duplicate": "laporan dari perkara ganda",
    "decided": "diputus",
    "accepted": "diterima",
    "offered, to act": "diteruskan untuk ditindaklanjuti",
    "offered, copied (tembusan)": "diteruskan sebagai tembusan",
    "offered, informed": "diteruskan untuk diketahui",
    "e-mail": "surel",
    "(try ": "(percobaan ",
    "step ": "langkah ",
    ": everybody ": ": semua orang ",
    " of step ": " atas langkah ",
    ", on ": ", tanggal ",
    " to the case ": " ke perkara ",
    " to ": " kepada ",
}
_ALL = re.compile("|".join(re.escape(phrase) for phrase in sorted(_PHRASES, key=len, reverse=True)))
STATES = {"OPEN": "terbuka", "CLOSED": "selesai", "ACCEPTED": "diterima, belum diputus"}


def indonesian(what: str) -> str:
    """`p1 offered, to act` becomes `p1 diteruskan untuk ditindaklanjuti`; codes stay codes."""
    return _ALL.sub(lambda found: _PHRASES[found[0]], what)
