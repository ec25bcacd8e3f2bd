"""A subscriber that knows NATS and /asyncapi.json and nothing else of ours reads its events, and they are as it says."""

import asyncio
import base64
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

import nats as client
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.asyncapi import asyncapi_document
from contracts.receiver.nkey import seed_of
from contracts.topology import agency_consumer
from deploy.local.identities import Identities
from deploy.streams import add_consumer
from services.routing.core.decide import Judge
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.routing.core.test_telling import Told

pytestmark = pytest.mark.broker
DOCUMENT = json.loads(json.dumps(asyncapi_document()))
SAID = " ".join(DOCUMENT["info"]["description"].split())


def said(pattern: str) -> str:
    """What the description says at a place, word for word."""
    found = re.search(pattern, SAID)
    assert found, pattern
    return found[1]


class Wire:
    """The NATS protocol by hand: what any client library does for its user."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def begin(self, seed: str) -> bool:
        """Sign the server's nonce with the NKEY (a seed is 2 bytes of kind, 32 of key, 2 of checksum, in base32).

        False while the server knows no key yet: it is told of new ones by a signal.
        """
        info = json.loads((await self._reader.readline()).removeprefix(b"INFO "))
        if "nonce" not in info:
            self.close()
            return False
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
        key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
        public = bytes([20 << 3]) + key.public_key().public_bytes_raw()
        whole = base64.b32encode(public + _crc(public).to_bytes(2, "little")).decode().rstrip("=")
        signed = base64.urlsafe_b64encode(key.sign(info["nonce"].encode())).decode().rstrip("=")
        options = {"nkey": whole, "sig": signed, "verbose": False, "headers": True, "protocol": 1}
        await self.say(f"CONNECT {json.dumps(options)}")
        return True

    def close(self) -> None:
        self._writer.close()

    async def say(self, line: str, body: bytes | None = None) -> None:
        self._writer.write(line.encode() + b"\r\n" + (b"" if body is None else body + b"\r\n"))
        await self._writer.drain()

    async def next(self) -> tuple[str, str, bytes, bytes]:
        """The next message: subject, reply, headers, body."""
        while True:
            kind, *words = (await asyncio.wait_for(self._reader.readline(), 10)).decode().split()
            assert kind != "-ERR", words
            if kind == "PING":
                await self.say("PONG")
            if kind in ("MSG", "HMSG"):
                whole = (await self._reader.readexactly(int(words[-1]) + 2))[:-2]
                split = int(words[-2]) if kind == "HMSG" else 0
                reply = words[2] if len(words) > (4 if kind == "HMSG" else 3) else ""
                return words[0], reply, whole[:split], whole[split:]


def _crc(data: bytes) -> int:
    """CRC-16 (XMODEM), as NKEYs have it."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


async def told(broker: Broker, judge: Judge, seed: str) -> int:
    """Make what the operator makes for BAWASLU, and two steps of a case; how many events it must hear."""
    nc = await client.connect(**connection(broker.settings, "operator"))
    await add_consumer(nc.jetstream(), agency_consumer("BAWASLU"))
    case, mine = Told(judge), 0
    for event in [*case.opening, *case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")]:
        mine += event.data.agency == "BAWASLU"  # type: ignore[attr-defined]
        body = event.model_dump_json(by_alias=True).encode()
        await nc.jetstream().publish(event.nats_subject, body)  # type: ignore[attr-defined]
    await nc.close()
    identities = Identities(broker.data_dir)
    identities.add(seed, "BAWASLU", None, datetime(2026, 11, 24, tzinfo=UTC))
    assert identities.reload()
    return mine


def payload_of(kind: str) -> dict[str, Any]:
    """The schema of a message, with everything its references need."""
    found = [m for m in DOCUMENT["components"]["messages"].values() if m["name"] == kind]
    return {**found[0]["payload"], "components": DOCUMENT["components"]}


def address_of(kind: str) -> re.Pattern[str]:
    """The subjects of a kind of message, as its channel says."""
    (channel,) = [
        channel
        for channel in DOCUMENT["channels"].values()
        for name in channel["messages"]
        if DOCUMENT["components"]["messages"][name]["name"] == kind
    ]
    return re.compile(re.sub(r"\\{\w+\\}", "[^.]+", re.escape(channel["address"])))


async def test_the_document_is_enough_to_read_and_understand_every_event(fresh_nats: Broker) -> None:
    from jsonschema import (
        Draft202012Validator,
    )  # it takes a second, which no other worker of a run need spend

    seed, durable = seed_of(secrets.token_bytes(32)), "BAWASLU"  # what the operator hands over
    expected = await told(fresh_nats, packaged_judge(), seed)
    assert expected
    inbox = said(r"inbox prefix `(\S+?)`").replace("{durable}", durable)
    asking = said(r"to `(\$JS\.API\S+?)`").replace("{durable}", durable)
    request, done = said(r"publish `({\"batch\".*?})`"), said(r"publish `(\S+?)` to its reply")
    _, port = fresh_nats.settings.nats_url.rsplit(":", 1)
    wire = Wire(*await asyncio.open_connection("127.0.0.1", int(port)))
    while not await wire.begin(seed):
        await asyncio.sleep(0.1)
        wire = Wire(*await asyncio.open_connection("127.0.0.1", int(port)))
    await wire.say(f"SUB {inbox}.answers 1")
    heard: list[str] = []
    while len(heard) < expected:
        await wire.say(f"PUB {asking} {inbox}.answers {len(request)}", request.encode())
        subject, reply, headers, body = await wire.next()
        while body:
            event = json.loads(body)
            Draft202012Validator(payload_of(event["type"])).validate(event)
            assert address_of(event["type"]).fullmatch(subject)
            heard.append(event["id"])
            await wire.say(f"PUB {reply} {len(done)}", done.encode())
            if len(heard) == expected:
                break
            subject, reply, headers, body = await wire.next()
        assert body or re.match(rb"NATS/1\.0 (100|404|408|409)", headers), headers
    assert len(set(heard)) == expected
    wire.close()
