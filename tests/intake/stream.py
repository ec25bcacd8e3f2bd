"""What lies on the stream of reports, to the last byte."""

import nats

from services.runtime.connecting import connection


async def messages(settings) -> list[bytes]:
    """Every message of REPORTS: subject, headers and body as one byte string."""
    nc = await nats.connect(**connection(settings, "operator"))
    js = nc.jetstream()
    last = (await js.stream_info("REPORTS")).state.last_seq
    found = [await js.get_msg("REPORTS", number) for number in range(1, last + 1)]
    await nc.close()
    return [f"{m.subject}\n{m.headers}\n".encode() + (m.data or b"") for m in found]


async def waiting_for(settings, durable) -> int:
    """How many messages of REPORTS a durable consumer has not acknowledged."""
    nc = await nats.connect(**connection(settings, "operator"))
    seen = await nc.jetstream().consumer_info("REPORTS", durable)
    await nc.close()
    return (seen.num_pending or 0) + (seen.num_ack_pending or 0)
