"""The body of a webhook: an agency's event word for word, as long as it stays below 20 kB."""

from contracts.agency_events import AgencyDue, AgencyOffered, AgencyStepped

MOST_BYTES = 18_000
"""Standard Webhooks advises less than 20 kB; headers need some of it too."""


def body_of(event: AgencyOffered | AgencyStepped | AgencyDue) -> bytes:
    """The event as JSON; of a very large case only its first persons, and how many were left out."""
    written = _written(event)
    kept = 0 if isinstance(event, AgencyDue) else len(event.data.persons)
    while len(written) > MOST_BYTES and kept and not isinstance(event, AgencyDue):
        kept //= 2
        left_out = {"persons": event.data.persons[:kept], "omitted": len(event.data.persons) - kept}
        written = _written(event.model_copy(update={"data": event.data.model_copy(update=left_out)}))
    return written


def _written(event: AgencyOffered | AgencyStepped | AgencyDue) -> bytes:
    return event.model_dump_json(by_alias=True).encode()
