"""Says what a run of `make bench` means, on the screen and as docs/performance.md."""

from datetime import UTC

from services.runtime.clock import now
from tests.bench import machine, ours
from tests.bench.page import Figures, table, write

_PAGE = """# Performance

Written by `make bench`, which measures limits, Netral and the usual way side by side in one run; `make bench QUICK=1`
does a tenth of it and only prints. Figures are medians of three rounds; the spread is half the distance between the least
and the greatest. Ratios are medians of the ratios of each round, so a busy moment meets both sides: read them first.

{where}

{warning}{table}

![Ratios of the table as bars](performance.svg)

## What is compared

* *raw publish* and *raw pull consume*: nats-py alone, 256 in flight, each message synced to disk before it is acknowledged
  (`sync_interval: always`, our default on one node: an acknowledged report survives kill -9 and a loss of power).
* *SQLite* and *PostgreSQL batched insert*: rows of 1.5 kB, 200 in a transaction, each transaction synced.
* *synced every 2 min*: the same over a broker with nats-server's own default (`NETRAL_BROKER_SYNC=2m`): kill -9 takes
  nothing, a loss of power takes from the streams what came since the last sync. Our vault is synced all the same and
  brings the reports back ([operations.md](operations.md), proved by `tests/flow/test_power.py`).
* *empty door*: uvicorn answering 202 to the same requests, doing nothing. *bare grouping door*: the same ASGI door
  storing the same bytes in shared atomic batches under the same setting. *our door* also checks every field, seals names
  in the vault (a second synced store), and compares reports in the background.
* *usual door* and *usual road*: FastAPI and pydantic as their tutorials show them, FastStream with its defaults, one
  message and one publish at a time, a worker with a few ifs for rules. It stores {usual} messages a report, names and all,
  and cannot tell a repetition; ours stores {each:.0f}. Every door is measured while the worker behind it rests.
* *sealing* peers do the work of our door: give ticket and receipt, derive the case of exact copies, seal what identifies
  people under a key of its own, keep it once for each idempotency key, synced, and publish the rest. The usual and Celery's
  door keep it by SQLAlchemy's ORM in a PostgreSQL of their own, a transaction a report, with our own functions for the
  rest; Node-RED keeps it in the same Redis. They do less in this: a repetition is published again and its body not
  compared, nothing is logged, counted or traced.
* *keeping usual road*: behind a sealing door a worker with the whole work of ours, written as one usually does: it stores as
  many messages a report, and keeps cases, inboxes and limits by the ORM in a PostgreSQL of its own, a row and a commit for
  each message, and looks every second which limits are over. It does less in this: its messages are short and explain
  nothing, what is delivered again is stored again, and nothing is posted, logged, counted or traced.
* *messages of the whole road*: what ours stores a second from the first request to the last agency's event, beside as
  many raw publishes.
* *last agency told*: from a report's acceptance until the last agency's event of it is stored, where reports come at that
  pace whatever the answers take. Beyond what the whole road carries they wait in the stream: the wait is the burst's.
* *mails* are those of a system of its own with 300 cases; each is told on the bus and kept in a ledger, synced. The sink
  keeps nothing.
* *webhooks*: a backlog for four agencies, taken from its database, signed, posted to a receiver in the same process,
  and noted as delivered; *plain posts* are as many by httpx to the same receiver, signed and noted by nobody.
{peers}
"""
QUIET = 1.5
"""Load average under which nobody but the bench, which has just started its own, is at work."""
_PEERS = {
    "Celery": """* *Celery*: a FastAPI door that validates with pydantic and queues, Debian's redis-server, a worker of two
  processes (`acks_late`) with the same ifs, which stores the same six messages in Redis streams, in one transaction.
  Redis syncs its log before it answers (`appendfsync always`): equal durability on disk; but a worker killed between
  taking a report from the queue and noting that it did loses that report. *everysec* is Redis' default: a loss of
  power takes the last second or two of accepted reports with it; the sealing peers are not measured so.""",
    "Node-RED": """* *Node-RED*: a flow over the same Redis (`tests/bench/node_red.json`): HTTP in, our published JSON
  Schema, a function with the same ifs, Redis, join, HTTP response. It answers when all six messages are stored, so its
  road is its door.""",
}
_MISSING = {
    "Celery": "* *Celery* is not in this run: redis-server is not installed (Debian: redis-server).",
    "Node-RED": "* *Node-RED* is not in this run: it, or redis-server, is missing (see `tests/bench/peers.py`).",
}


def tell(
    figures: Figures, each: ours.Stored, size: int, loads: list[float], seconds: float, *, keep: bool
) -> None:
    """Print the table; with `keep` also write the page and the plot."""
    where = (
        f"{machine.named()}; {size:,} reports of 1.5 kB a measure, 64 connections; load, services and broker share "
        f"the cores. Load average before each round, of which the first is others' work: "
        f"{', '.join(f'{load:.1f}' for load in loads)}. "
        f"{now().astimezone(UTC):%Y-%m-%d}, {seconds:.0f} seconds."
    )
    print(f"\n{where}\n\n{table(figures)}\n\n{_peers(figures)}\n")
    if keep:
        write(page(where, figures, each, quiet=loads[0] < QUIET), figures)


def page(where: str, figures: Figures, each: ours.Stored, *, quiet: bool) -> str:
    """The page; a run on a busy machine says so, and one without a peer too."""
    warning = (
        ""
        if quiet
        else "**Other work shared the cores as this run began**: figures are low, ratios are rough.\n\n"
    )
    return _PAGE.format(
        where=where, warning=warning, table=table(figures), usual=6, each=each.all, peers=_peers(figures)
    )


def _peers(figures: Figures) -> str:
    """What each peer is, or why it is missing."""
    return "\n".join(said if f"{peer} door" in figures else _MISSING[peer] for peer, said in _PEERS.items())
