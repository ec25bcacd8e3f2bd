"""What each service may say and hear on the broker, derived from the topology table: nothing else is allowed."""

from contracts.topology import CONSUMERS, PUBLISHES, STREAMS

READS_ALSO = {"routing": tuple(stream.name for stream in STREAMS)}
"""Streams a service reads without a durable of its own: routing fetches the message an advisory speaks of."""

Permissions = dict[str, dict[str, list[str]]]


def permissions(service: str) -> Permissions:
    """The `permissions` block of a service's user. Raises KeyError for a service that is not in the table.

    It may publish its own events, pull from and acknowledge its own durables, and read streams; it may not create,
    change, purge or delete anything, nor hear another's answers.
    """
    return {
        "publish": {"allow": sorted({*PUBLISHES[service], *_durables(service), *_reading(service)})},
        "subscribe": {"allow": [f"_INBOX_{service}.>"]},
    }


def _durables(service: str) -> set[str]:
    return {
        subject
        for consumer in CONSUMERS
        if consumer.service == service
        for subject in (
            f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}",
            f"$JS.API.CONSUMER.INFO.{consumer.stream}.{consumer.name}",
            f"$JS.ACK.{consumer.stream}.{consumer.name}.>",
        )
    }


def _reading(service: str) -> set[str]:
    of_streams = {
        subject
        for stream in _streams(service)
        for subject in (
            f"$JS.API.STREAM.INFO.{stream}",
            f"$JS.API.STREAM.MSG.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}.>",
        )
    }
    return {"$JS.API.INFO", "$JS.API.STREAM.NAMES", *of_streams}


def _streams(service: str) -> set[str]:
    heads = {subject.split(".", 1)[0] for subject in PUBLISHES[service]}
    publishes = {stream.name for stream in STREAMS if {s.split(".", 1)[0] for s in stream.subjects} & heads}
    consumes = {consumer.stream for consumer in CONSUMERS if consumer.service == service}
    return publishes | consumes | set(READS_ALSO.get(service, ()))
