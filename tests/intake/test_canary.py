"""Nothing personal leaves the vault: marks planted in every free text are looked for everywhere else."""

import io
import json

import pytest

from services.intake.app import build_app
from services.runtime import logs
from services.runtime.http import TracedHttp
from tests.intake.builders import a_report
from tests.intake.stream import messages

CANARY = "Kenari"
NIP = "198001012005011001"


def planted():
    """A valid report in which every free text carries the mark."""
    return a_report(
        incident__place=f"{CANARY} tempat",
        persons=[
            {
                "ref": f"{CANARY} ref",
                "name": f"{CANARY} nama",
                "nip": NIP,
                "status": "PNS",
                "post": f"{CANARY} jabatan",
                "employer": {"kind": "KABUPATEN", "region": "kemendagri:52.04", "name": f"{CANARY} dinas"},
            }
        ],
        acts=[{"person": f"{CANARY} ref", "code": "OTHER", "note": f"{CANARY} catatan"}],
        narrative=f"{CANARY} uraian",
        evidence=[{"sha256": "a" * 64, "name": f"{CANARY} berkas"}],
        reporter={
            "kind": "VOTER",
            "name": f"{CANARY} pelapor",
            "address": f"{CANARY} alamat",
            "email": f"{CANARY}@example.org",
            "phone": f"{CANARY} telepon",
        },
        source={"channel": "API", "reference": f"{CANARY} nomor"},
    )


def clean(data):
    text = data if isinstance(data, bytes) else data.encode()
    return CANARY.lower().encode() not in text.lower() and NIP.encode() not in text


@pytest.fixture
def log_lines(settings):
    """What the process writes to its log, at the most talkative level."""
    stream = io.StringIO()
    logs.configure("intake", "DEBUG", stream=stream)
    return stream


@pytest.mark.broker
async def test_no_mark_in_stream_database_answer_or_log(settings, with_broker, clock, open_door, log_lines):
    async with open_door(with_broker, clock) as door:
        answers = [await door.http.post("/v1/reports", json=planted(), headers={"Idempotency-Key": "k"})]
        broken = planted() | {CANARY: 1, "narrative": 7}
        broken["persons"] = [{**planted()["persons"][0], "status": CANARY, "nip": CANARY + NIP}] * 2
        answers.append(await door.http.post("/v1/reports", json=broken))
        answers.append(
            await door.http.post(
                "/v1/reports", json=planted() | {"narrative": "x"}, headers={"Idempotency-Key": "k"}
            )
        )
        answers.append(await door.http.get(f"/v1/reports/{CANARY}", headers={"Netral-Receipt": CANARY}))
        answers.append(await door.http.get(f"/{CANARY}"))
    assert [answer.status_code for answer in answers] == [202, 422, 409, 404, 404]
    (message,) = await messages(with_broker)
    assert clean(message)
    assert json.loads(message.split(b"\n", 2)[2])["data"]["facts"]["persons"][0]["ref"] == "p1"
    for answer in answers:
        told = answer.text.replace(f'"/{CANARY}"', "")  # a pointer names the unknown field itself
        assert clean(told), told
    assert clean(log_lines.getvalue())
    assert all(clean(path.read_bytes()) for path in settings.data_dir.glob("intake.db*"))


async def test_a_failure_inside_says_nothing_of_the_report(settings, clock, bus, open_door, log_lines):
    async def fail(events):
        raise RuntimeError(f"{CANARY} {events}")

    bus.tell = fail
    async with open_door(settings, clock, bus) as door:
        door.http._transport.app = TracedHttp(door.app, None, logs.log, service="intake")
        answer = await door.http.post("/v1/reports", json=planted())
    assert answer.status_code == 500
    assert clean(answer.text)
    assert "RuntimeError" in log_lines.getvalue()
    assert clean(log_lines.getvalue())


def test_a_process_without_keys_does_not_begin(settings):
    (settings.data_dir / "secrets" / "vault.key").write_text("short")
    with pytest.raises(Exception, match=r"vault\.key: is not a key of 64 hexadecimal digits"):
        build_app(settings)
