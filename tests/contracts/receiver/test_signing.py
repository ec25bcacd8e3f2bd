"""Signatures after Standard Webhooks 1.0: the published vectors, a second verifier, and nothing but one error."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from contracts.receiver.signing import (
    BadKey,
    HmacKey,
    PrivateKey,
    PublicKey,
    WrongSignature,
    key_of,
    signed,
    verify,
)

ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
AT = datetime.fromtimestamp(SECONDS, UTC)
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
SECRET = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
PRIVATE = key_of(
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
PUBLIC = key_of("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=")


def headers(signature: Any = V1, **changed: Any) -> dict[str, Any]:
    given = {"webhook-id": ID, "webhook-timestamp": str(SECONDS), "webhook-signature": signature}
    return given | {name.replace("_", "-"): value for name, value in changed.items()}


@pytest.mark.parametrize(("key", "vector"), [(SECRET, V1), (PRIVATE, V1A)])
def test_the_published_vectors_are_signed_exactly(key: Any, vector: str) -> None:
    assert signed([key], ID, AT, BODY) == headers(vector)


@pytest.mark.parametrize(("key", "vector"), [(SECRET, V1), (PUBLIC, V1A), (PRIVATE, V1A)])
def test_the_published_vectors_verify(key: Any, vector: str) -> None:
    found = verify(headers(vector), BODY, [key], AT)
    assert (found.message_id, found.at) == (ID, AT)


def test_a_public_key_is_the_other_half_and_cannot_sign() -> None:
    assert isinstance(PRIVATE, PrivateKey)
    assert PRIVATE.public == PUBLIC
    assert not hasattr(PUBLIC, "sign")


def test_no_key_shows_itself_by_accident() -> None:
    assert "MfKQ" not in repr(SECRET)
    assert repr(PRIVATE) == str(PRIVATE) == "PrivateKey(…)"


def test_a_verifier_that_was_not_written_here_agrees() -> None:
    key, body = HmacKey(os.urandom(32)), json.dumps({"data": "ünïcode"}).encode()
    now = datetime.now(UTC)
    other = standardwebhooks.Webhook(str(key))
    made = signed([HmacKey(os.urandom(32)), key], "7d0b9c1e-0000-5000-8000-000000000000", now, body)
    assert other.verify(body, made) == {"data": "ünïcode"}
    theirs = other.sign("msg_1", now, body.decode())
    found = verify(
        {"Webhook-Id": "msg_1", "WEBHOOK-TIMESTAMP": str(int(now.timestamp())), "webhook-signature": theirs},
        body,
        [key],
        now,
    )
    assert found.message_id == "msg_1"


def test_an_instant_of_jakarta_signs_the_same_second() -> None:
    assert signed([SECRET], ID, AT.astimezone(timezone(timedelta(hours=7))), BODY) == headers(V1)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "listed",
    [
        f"{V1A} {V1}",
        f"garbage {V1}",
        f"v1 {V1}",
        f"v1,a,b {V1}",
        f"v1,*** {V1}",
        f"v1,AAAA  {V1}",
        f"v1, {V1}",
        f"v2,{V1[3:]} {V1}",
        f"  {V1}  {V1A}",
        f"v1,é {V1}",
    ],
)
def test_a_bad_entry_hides_no_good_one(listed: str) -> None:
    assert verify(headers(listed), BODY, [SECRET], AT).message_id == ID


def test_while_a_key_is_changed_the_old_and_the_new_one_both_verify() -> None:
    old, new = HmacKey(os.urandom(32)), PrivateKey(os.urandom(32))
    both = signed([new, old], ID, AT, BODY)
    for held in ([old], [new.public], [old, new.public]):
        assert verify(both, BODY, held, AT)
    with pytest.raises(WrongSignature):
        verify(signed([new], ID, AT, BODY), BODY, [old], AT)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_within_five_minutes_either_way_it_is_fresh(seconds: int) -> None:
    assert verify(headers(), BODY, [SECRET], AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("given", "body", "now"),
    [
        (headers(), BODY, AT + timedelta(seconds=301)),
        (headers(), BODY, AT - timedelta(seconds=301)),
        (headers(), BODY + b" ", AT),
        (headers(), b"\xff\xfe", AT),
        (headers(), BODY.decode(), AT),
        (headers(), None, AT),
        (headers(webhook_id="other"), BODY, AT),
        (headers(webhook_id="a.b"), BODY, AT),
        (headers(webhook_id=""), BODY, AT),
        (headers(webhook_id=None), BODY, AT),
        (headers(webhook_timestamp="1614265330.7"), BODY, AT),
        (headers(webhook_timestamp=" 1614265330 "), BODY, AT),
        (headers(webhook_timestamp="1614_265330"), BODY, AT),
        (headers(webhook_timestamp="-1614265330"), BODY, AT),
        (headers(webhook_timestamp="١٦١٤٢٦٥٣٣٠"), BODY, AT),
        (headers(webhook_timestamp="9" * 400), BODY, AT),
        (headers(webhook_timestamp=SECONDS), BODY, AT),
        (headers(""), BODY, AT),
        (headers("v1"), BODY, AT),
        (headers("v1,"), BODY, AT),
        (headers("v1,é"), BODY, AT),
        (headers(V1A), BODY, AT),
        (headers(V1[3:]), BODY, AT),
        (headers("v1a," + V1[3:]), BODY, AT),
        (headers(None), BODY, AT),
        (headers(b"v1,xx"), BODY, AT),
        (headers("x" * 9000 + " " + V1), BODY, AT),
        ({}, BODY, AT),
        (None, BODY, AT),
        ({**headers(), "Webhook-Id": ID}, BODY, AT),
        ({1: "x", **headers("v1,AAAA")}, BODY, AT),
    ],
)
def test_everything_else_is_one_error(given: Any, body: Any, now: datetime) -> None:
    with pytest.raises(WrongSignature):
        verify(given, body, [SECRET], now)


@given(st.text(), st.text(), st.text(), st.binary())
def test_whatever_comes_there_is_no_other_error(a: str, b: str, c: str, body: bytes) -> None:
    given = {"webhook-id": a or ID, "webhook-timestamp": b or str(SECONDS), "webhook-signature": c}
    with pytest.raises(WrongSignature):
        verify(given, body, [SECRET, PUBLIC], AT)


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_***", "whsec_AAAA", "whpk_AAAA", "whsk_AAAA", "foo_AAAA", "whsec_" + "A" * 200],
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadKey) as refusal:
        key_of(text)
    assert text[6:] not in str(refusal.value) or not text[6:]


def test_a_key_may_come_without_prefix_and_padding() -> None:
    raw = os.urandom(32)
    assert key_of(base64.b64encode(raw).decode().rstrip("=")) == HmacKey(raw)
    assert key_of(str(PublicKey(raw))) == PublicKey(raw)


@pytest.mark.parametrize(("message_id", "at"), [("a.b", AT), ("", AT), ("msg", AT.replace(tzinfo=None))])
def test_nothing_ambiguous_is_signed(message_id: str, at: datetime) -> None:
    with pytest.raises(ValueError, match="webhook-id"):
        signed([SECRET], message_id, at, BODY)  # type: ignore[list-item]
