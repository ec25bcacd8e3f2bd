"""What may follow what in the life of a case: from law/systems.md, law/skb.md and contract.md, not from the engine."""

_SATGAS = "BAWASLU KASN BKN KEMENPANRB KEMENDAGRI"
_STUDY = {
    "STUDY_CONCLUDED:BREACH": "BREACH",
    "STUDY_CONCLUDED:NO_BREACH": "NOT_PROVEN_BY_STUDY",
    "STUDY_CONCLUDED:NOT_REGISTERED": "NOT_REGISTERED",
    "STUDY_CONCLUDED:REPAIR_NEEDED": "REPAIR_NEEDED",
}
_VALID, _INVALID = {"SATGAS_VERIFIED:VALID": "VERIFIED"}, {"SATGAS_VERIFIED:INVALID": "NOT_VERIFIED"}
_PPK = {
    "PPK_CONCLUDED:SANCTIONED": "SANCTIONED",
    "PPK_CONCLUDED:SILENT": "OVERDUE",
    "PPK_CONCLUDED:WRONG_SANCTION": "WRONG_SANCTION",
}

START = "ROUTED"
FOLLOWS: dict[str, dict[str, str]] = {
    "ROUTED": {**_STUDY, **_VALID, **_INVALID},
    "VERIFIED": _STUDY,
    "NOT_VERIFIED": {**_STUDY, **_VALID},
    "REPAIR_NEEDED": {**_STUDY, **_VALID, **_INVALID},
    "BREACH": {
        "SUPERVISOR_CONCLUDED:RECOMMENDED": "RECOMMENDED",
        "SUPERVISOR_CONCLUDED:NOT_PROVEN": "NOT_PROVEN_BY_SUPERVISOR",
        "SUPERVISOR_CONCLUDED:RETURNED": "RETURNED_BY_SUPERVISOR",
    },
    "RETURNED_BY_SUPERVISOR": _STUDY,
    "RECOMMENDED": _PPK,
    "OVERDUE": _PPK,
    "WRONG_SANCTION": _PPK,
    "SANCTIONED": {"PPK_CONCLUDED:WRONG_SANCTION": "WRONG_SANCTION"},
}
"""After each state, what can be said about a person and where it leads; nothing follows the other endings."""
RECOMMENDED = "SUPERVISOR_CONCLUDED:RECOMMENDED"
OWES_SANCTION = {"RECOMMENDED", "WRONG_SANCTION"}
"""States in which a limit that passes makes the PPK silent, where its part began with the recommendation."""
ENDS = {"NOT_REGISTERED", "NOT_PROVEN_BY_STUDY", "NOT_PROVEN_BY_SUPERVISOR", "SANCTIONED", "WITHDRAWN"}
CLOSED = ENDS | {"DONE", "REJECTED", "LEFT", "LINKED"}
ANY_TIME = {
    "GAKKUMDU_CONCLUDED:ELEMENTS_MET",
    "GAKKUMDU_CONCLUDED:ELEMENTS_NOT_MET",
    "IDENTIFIED",
    "TRANSFERRED",
    "LEFT_SERVICE",
}
"""Said of an open person without moving it on."""
SPEAKERS: dict[str, str] = {
    "SATGAS_VERIFIED": _SATGAS,
    "STUDY_CONCLUDED": "BAWASLU",
    "SUPERVISOR_CONCLUDED": "KASN BKN",
    "PPK_CONCLUDED:SANCTIONED": "PPK KEMENDAGRI BKN KEMENPANRB",
    "PPK_CONCLUDED:SILENT": "BKN KASN NETRAL",
    "PPK_CONCLUDED:WRONG_SANCTION": "KASN BKN",
    "GAKKUMDU_CONCLUDED": "BAWASLU GAKKUMDU",
    "IDENTIFIED": "BAWASLU KASN BKN",
    "WITHDRAWN": "BAWASLU",
    "TRANSFERRED": "PPK BKN",
    "LEFT_SERVICE": "PPK BKN",
    "WARN": "BKN KASN KEMENDAGRI KEMENPANRB",
    "BLOCK": "BKN",
    "UNBLOCK": "BKN",
    "RECUSE": "BKN KASN KEMENDAGRI KEMENPANRB BAWASLU PPK",
    "ASSIGN": "",
    "SUCCEED": "",
    "LINK": "NETRAL",
    "RECKON": "NETRAL",
}
"""Who says an event (or only one result of it) or takes a measure; the operator may on somebody's behalf."""
SUCCESSORS = {"KEMENPANRB"}
"""Who speaks as supervisor where a rulebook gave it that part, besides those who are it by the tables here."""
RECKONED = "RECKON"
"""Limits that ran were counted again by another calendar; nothing else changes."""
HAND_OVERS = {"RETURN", "REFUSE", "TRANSFER", "ACCEPT", "DONE"}
ACKNOWLEDGED = "ACKNOWLEDGE"
"""An agency says that it took the case over into its own system: said by whoever has a part; it changes nothing."""
MOVES = HAND_OVERS | {
    ACKNOWLEDGED,
    RECKONED,
    "ASSIGN",
    "VOID",
    "SUCCEED",
    "LINK",
    "WARN",
    "BLOCK",
    "UNBLOCK",
    "RECUSE",
}
MEASURES = {"WARN": {"OVERDUE"}, "BLOCK": {"OVERDUE"}, "UNBLOCK": {"OVERDUE", "SANCTIONED"}}
"""After which states of its progress a PPK is pressed or let go."""
_BESIDE = {
    "OVERDUE": {"REPRIMANDED", "BLOCKED", "UNBLOCKED"},
    "SANCTIONED": {"BLOCKED"},
    "NOT_VERIFIED": {"REJECTED"},
}


def leads_to(state: str, trigger: str) -> str | None:
    """The state after `trigger`, or None where it cannot be said."""
    if trigger in ANY_TIME:
        return None if state in ENDS else state
    if trigger == "WITHDRAWN":
        return None if state in ENDS else "WITHDRAWN"
    return FOLLOWS.get(state, {}).get(trigger)


def shows_as(state: str, shown: str) -> bool:
    """Whether a matter whose progress led to `state` may stand as `shown`: its holders may have moved or ended it."""
    moved = {"RETURNED", "REFUSED", "LINKED", "DONE", "LEFT"}
    return shown == state or shown in _BESIDE.get(state, ()) or (shown in moved)


def speakers_of(trigger: str) -> set[str]:
    """Who may say it, besides the operator."""
    known = SPEAKERS.get(trigger)
    return set((SPEAKERS.get(trigger.partition(":")[0], "") if known is None else known).split())
