"""What each NATS user may do, made from the topology table; nobody but the operator may touch streams or consumers."""

from contracts.agency_events import STREAM as TOLD
from contracts.topology import CONSUMERS, PUBLISHES, STREAMS

OPERATOR = "operator"


def allowed(user: str) -> tuple[list[str], list[str]]:
    """The subjects a user may publish to, and those it may subscribe to."""
    inbox = [f"_INBOX_{user}.>"]
    if user == OPERATOR:
        return [">"], [">"]
    return sorted(_publishes(user)), inbox


def allowed_to_agency(durable: str) -> tuple[list[str], list[str]]:
    """What an agency's identity may publish to and subscribe to: ask for, acknowledge and hear what is its own.

    No wildcard in the name of a durable and no right to make one: a consumer of several filters would leak what is
    not filtered (peers.md 0.4, nats-server discussion 4280).
    """
    return [f"$JS.API.CONSUMER.MSG.NEXT.{TOLD}.{durable}", f"$JS.ACK.{TOLD}.{durable}.>"], [
        f"_INBOX_{durable}.>"
    ]


def _publishes(user: str) -> set[str]:
    subjects = set(PUBLISHES[user]) | {"$JS.API.INFO"}
    for consumer in CONSUMERS:
        if consumer.service == user:
            path = f"{consumer.stream}.{consumer.name}"
            subjects |= {
                f"$JS.API.CONSUMER.MSG.NEXT.{path}",
                f"$JS.API.CONSUMER.INFO.{path}",
                f"$JS.ACK.{path}.>",
            }
    if user == "routing":
        subjects |= {f"$JS.API.CONSUMER.INFO.{TOLD}.*", f"$JS.API.CONSUMER.RESET.{TOLD}.*"}
    for stream in _readable(user):
        subjects |= {
            f"$JS.API.DIRECT.GET.{stream}",
            f"$JS.API.DIRECT.GET.{stream}.>",
            f"$JS.API.STREAM.MSG.GET.{stream}",
        }
    return subjects


def _readable(user: str) -> list[str]:
    """Routing reads every stream, to park a message of which only an advisory tells; the others what they write.

    Intake also looks whether a case is decided, to tell its reporter; notifications reads the decision, to write to
    the reporter of a copy, the facts of the report, to write to no office whose head is reported, and the directory,
    to find the duty desks.
    """
    if user == "routing":
        return [stream.name for stream in STREAMS]
    also = {"intake": {"cases"}, "notifications": {"cases", "agencies", "reports"}}
    written = {subject.split(".", 1)[0] for subject in PUBLISHES[user]} | also.get(user, set())
    return [s.name for s in STREAMS if any(subject.split(".", 1)[0] in written for subject in s.subjects)]
