"""A short-lived token for a proof of possession: each proof once, and nothing once the key is gone."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from services.routing.core.decide import Judge
from tests.conftest import Broker
from tests.routing.agencies.test_keys_api import ROOT, ask, issue, opens
from tests.running import Clock, System, in_process

pytestmark = pytest.mark.broker
AUDIENCE = "http://127.0.0.1:8081"
PRIVATE = ed25519.Ed25519PrivateKey.generate()


def pem(private: Any = PRIVATE) -> str:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return str(private.public_key().public_bytes(*form).decode())


def proof(clock: Clock, client: str, private: Any = PRIVATE, algorithm: str = "EdDSA", **changed: Any) -> str:
    claims = {
        "iss": client,
        "sub": client,
        "aud": AUDIENCE,
        "jti": "1",
        "exp": int((clock() + timedelta(minutes=5)).timestamp()),
        **changed,
    }
    return jwt.encode({n: c for n, c in claims.items() if c is not None}, private, algorithm)


async def exchange(system: System, assertion: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        **changed,
    }
    return await system.routing.post("/v1/oauth/token", data=form)


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [
        (PRIVATE, "EdDSA"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (rsa.generate_private_key(65537, 2048), "RS256"),
    ],
    ids=["ed25519", "p256", "rsa"],
)
async def test_a_proof_gives_a_token_that_opens_the_inbox_until_it_ends(
    fresh_nats: Broker, judge: Judge, private: Any, algorithm: str
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        client = await issue(system, public_key=pem(private))
        assert client["key"] is None
        answer = await exchange(system, proof(clock, client["key_id"], private, algorithm))
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert (answer.json()["scope"], answer.headers["Cache-Control"]) == ("act read", "no-store")
        assert await opens(system, token) == 200
        clock.at += timedelta(minutes=10)
        assert await opens(system, token) == 401


async def test_a_proof_is_taken_once_also_by_another_worker_and_after_a_restart(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        client = await issue(system, public_key=pem())
        used = proof(clock, client["key_id"])
        assert (await exchange(system, used)).status_code == 200
        assert (await exchange(system, used)).status_code == 401
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        assert (await exchange(system, used)).json()["error"] == "invalid_client"


async def test_what_proves_nothing_gives_no_token(fresh_nats: Broker, judge: Judge) -> None:
    clock, foreign = Clock(), ed25519.Ed25519PrivateKey.generate()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        client = (await issue(system, public_key=pem()))["key_id"]
        bearer = (await issue(system))["key_id"]
        soon = int((clock() + timedelta(hours=2)).timestamp())
        past = int((clock() - timedelta(minutes=1)).timestamp())
        wrong = [
            proof(clock, client, foreign),
            proof(clock, bearer),
            proof(clock, client, aud="https://elsewhere.example"),
            proof(clock, client, iss="somebody"),
            proof(clock, client, jti=None),
            proof(clock, client, exp=None),
            proof(clock, client, exp=soon),
            proof(clock, client, exp=past),
            _unsigned(client),
            "no.jwt.here",
            "",
        ]
        for assertion in wrong:
            answer = await exchange(system, assertion)
            assert answer.status_code in (400, 401), assertion
        assert (await exchange(system, proof(clock, client), grant_type="password")).status_code == 400
        assert (await exchange(system, proof(clock, client), scope="read manage")).status_code == 401
        narrow = await exchange(system, proof(clock, client, jti="2"), scope="act")
        assert await opens(system, narrow.json()["access_token"]) == 403


async def test_a_token_ends_with_its_key(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        client = (await issue(system, public_key=pem()))["key_id"]
        token = (await exchange(system, proof(clock, client))).json()["access_token"]
        assert await opens(system, token) == 200
        await ask(system, "POST", f"{ROOT}/{client}/revocation")
        assert await opens(system, token) == 401
        assert await opens(system, _forged(token)) == 401


async def test_too_many_requests_are_told_when_to_come_again(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge, routing={"agency_requests_per_minute": 3}) as system:
        key = (await issue(system))["key"]
        answers = [await ask(system, "GET", "/v1/agencies/BKN/inbox", key=key) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["RateLimit-Policy"] == '"key";q=3;w=60'
        assert answers[0].headers["RateLimit"].startswith('"key";r=2;t=')
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
        assert answers[3].headers["Content-Type"] == "application/problem+json"
        assert await opens(system, system.keys["BKN"]) == 200
        for _ in range(4):
            assert (await ask(system, "GET", "/v1/operator/stats")).status_code == 200


def _unsigned(client: str) -> str:
    def part(document: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'sub': client, 'iss': client, 'jti': '1'})}."


def _forged(token: str) -> str:
    """The same token for ever, signed with another secret."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**claims, "exp": claims["exp"] + 10**6}, "x" * 32, "HS256")
