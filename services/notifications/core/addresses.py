"""What a mail address must be before anything is sent to it."""

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_DOMAIN = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", re.ASCII
)


def mailbox(address: str) -> str | None:
    """The address as it may stand in an envelope and a header, or None if no such address can be written to.

    A domain in another script becomes its ASCII form; a local part in another script would need SMTPUTF8 on the
    whole way, which nobody can promise.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    fits = (
        at
        and len(local) <= 64
        and len(domain) <= 253
        and _LOCAL.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    )
    return f"{local}@{domain}" if fits else None
