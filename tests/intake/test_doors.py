"""The public door: what it takes, what it refuses and in which words."""

import asyncio
import json
from datetime import timedelta

import pytest

from tests.intake.builders import REMOVE, a_report


async def send(door, report=None, key=None, **headers):
    if key:
        headers["Idempotency-Key"] = key
    return await door.http.post("/v1/reports", json=report or a_report(), headers=headers)


async def test_a_report_is_answered_with_ticket_receipt_and_next_step(door):
    answer = await send(door, key="k1")
    body = answer.json()
    assert answer.status_code == 202
    assert set(body) == {"ticket", "receipt", "received_at", "status_url", "next"}
    assert answer.headers["location"] == f"/v1/reports/{body['ticket']}"
    assert body["status_url"] == f"http://127.0.0.1:8080/v1/reports/{body['ticket']}"
    assert body["received_at"] == "2026-11-24T11:00:00.123456+08:00"
    assert list(body["next"]) == ["id", "en"]
    assert body["receipt"] not in answer.headers["location"]


async def test_the_event_says_which_report_and_never_its_receipt(door):
    body = (await send(door)).json()
    (event,) = door.bus.events.values()
    assert event.data.ticket == body["ticket"]
    assert event.data.facts.reported_on.isoformat() == "2026-11-24"
    assert body["receipt"] not in event.model_dump_json()


FAULTY = [
    ({"schema": "netral.report.v2"}, "/schema"),
    ({"election": REMOVE}, "/election"),
    ({"election__kind": "PEMLU"}, "/election/kind"),
    ({"election__year": "2024"}, "/election/year"),
    ({"election__year": 1800}, "/election/year"),
    ({"election__psu": "yes"}, "/election/psu"),
    ({"incident__occurred_on": "22-10-2024"}, "/incident/occurred_on"),
    ({"incident__occurred_on": "2024-02-30"}, "/incident/occurred_on"),
    ({"incident__known_on": "2026-11-25"}, "/incident/known_on"),
    ({"incident__known_on": "2024-10-21"}, "/incident/known_on"),
    ({"reported_on": "2024-10-22"}, "/reported_on"),
    ({"incident__region": "52.04"}, "/incident/region"),
    ({"incident__region": "kemendagri:99.99"}, "/incident/region"),
    ({"incident__place": "x" * 301}, "/incident/place"),
    ({"incident__place": "Lapangan\u202edesa"}, "/incident/place"),
    ({"incident__place": "Lapangan\ndesa"}, "/incident/place"),
    ({"acts": []}, "/acts"),
    ({"persons__0__status": "PSN"}, "/persons/0/status"),
    ({"persons__0__statsu": "PNS"}, "/persons/0/statsu"),
    ({"persons__0__nip": "19800101200501100"}, "/persons/0/nip"),
    ({"persons__0__nip": "١٩٨٠٠١٠١٢٠٠٥٠١١٠٠١"}, "/persons/0/nip"),
    ({"persons__0__name": "x" * 201}, "/persons/0/name"),
    ({"persons__0__post": "x" * 101}, "/persons/0/post"),
    ({"persons": [{"ref": "p1", "status": "PNS"}, {"ref": "p1", "status": "PNS"}]}, "/persons/1/ref"),
    ({"persons": [{"ref": f"p{n}", "status": "PNS"} for n in range(1, 202)]}, "/persons"),
    ({"acts__0__person": "p9"}, "/acts/0/person"),
    ({"acts__0__code": "DANCING"}, "/acts/0/code"),
    ({"acts__0__note": "x" * 2001}, "/acts/0/note"),
    ({"acts": [{"person": "p1", "code": "OTHER"}] * 501}, "/acts"),
    ({"narrative": ""}, "/narrative"),
    ({"narrative": "x" * 20_001}, "/narrative"),
    ({"evidence": [{"sha256": "0" * 64}] * 101}, "/evidence"),
    ({"evidence__0__sha256": "abc"}, "/evidence/0/sha256"),
    ({"evidence__0__size": -1}, "/evidence/0/size"),
    ({"reporter__kind": REMOVE}, "/reporter/kind"),
    ({"reporter__email": "not an address"}, "/reporter/email"),
    ({"source__channel": "FAX"}, "/source/channel"),
    ({"a/b~c": 1}, "/a~1b~0c"),
]


@pytest.mark.parametrize(("changes", "pointer"), FAULTY)
async def test_a_fault_is_named_by_its_pointer_with_a_cure(door, changes, pointer):
    answer = await send(door, a_report(**changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not door.bus.events


async def test_all_faults_are_named_at_once(door):
    faulty = a_report(
        persons__0__status="PSN", narrative=REMOVE, incident__known_on="2024-10-01", acts__0__person="p7"
    )
    pointers = {error["pointer"] for error in (await send(door, faulty)).json()["errors"]}
    assert pointers == {"/persons/0/status", "/narrative", "/incident/known_on", "/acts/0/person"}


@pytest.mark.parametrize("body", [[], "text", 7, None, {}])
async def test_a_json_value_that_is_no_report_is_refused_as_one(door, body):
    answer = await door.http.post(
        "/v1/reports", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b"9" * 5000]
)
async def test_what_is_not_json_is_answered_400_with_the_cause(door, raw):
    answer = await door.http.post("/v1/reports", content=raw, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_the_day_is_the_day_at_the_place(door):
    door.clock.now = door.clock.now.replace(
        hour=15, minute=30
    )  # 24 November in Jakarta, 25 November in Jayapura
    tomorrow = {"incident__occurred_on": "2026-11-25", "incident__known_on": "2026-11-25"}
    assert (await send(door, a_report(**tomorrow))).status_code == 422
    in_papua = a_report(**tomorrow, incident__region="kemendagri:91.03")
    assert (await send(door, in_papua)).status_code == 202


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/jsonx", None])
async def test_another_media_type_is_answered_415(door, media_type):
    headers = {"Content-Type": media_type} if media_type else {}
    assert (await door.http.post("/v1/reports", content=b"{}", headers=headers)).status_code == 415


async def test_a_charset_beside_the_media_type_does_no_harm(door):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await door.http.post("/v1/reports", content=json.dumps(a_report()), headers=headers)
    assert answer.status_code == 202


async def test_a_body_over_one_mebibyte_is_answered_413(door):
    raw = json.dumps(a_report()).encode()
    headers = {"Content-Type": "application/json"}
    just = raw + b" " * (1_048_576 - len(raw))
    assert (await door.http.post("/v1/reports", content=just, headers=headers)).status_code == 202
    assert (await door.http.post("/v1/reports", content=just + b" ", headers=headers)).status_code == 413


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "kunci\u00e9"])
async def test_an_unusable_key_is_answered_400(door, key):
    answer = await door.http.post(
        "/v1/reports", json=a_report(), headers={"Idempotency-Key": key.encode("utf-8")}
    )
    assert answer.status_code == 400


async def test_the_same_key_and_body_get_the_same_answer(door):
    first = await send(door, key="same")
    door.clock.now += timedelta(hours=1)
    again = await send(door, key="same")
    assert (again.status_code, again.content) == (202, first.content)
    assert len(door.bus.events) == 1


async def test_the_same_key_with_another_body_is_a_conflict(door):
    await send(door, key="same")
    answer = await send(door, a_report(narrative="Lain."), key="same")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert len(door.bus.events) == 1


async def test_without_a_key_every_request_is_a_report_of_its_own(door):
    tickets = {(await send(door)).json()["ticket"] for _ in range(3)}
    assert len(tickets) == len(door.bus.events) == 3


async def test_concurrent_requests_with_one_key_make_one_report(door):
    answers = await asyncio.gather(*(send(door, key="same") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == len(door.bus.events) == 1


async def test_concurrent_requests_with_one_key_and_two_bodies_accept_one_body(door):
    bodies = [a_report(narrative="Satu."), a_report(narrative="Dua.")] * 5
    answers = await asyncio.gather(*(send(door, body, key="same") for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [409] * 5
    assert len(door.bus.events) == 1


async def test_status_opens_with_ticket_and_receipt(door):
    sent = (await send(door)).json()
    path = f"/v1/reports/{sent['ticket'].lower()}"
    status = await door.http.get(path, headers={"Netral-Receipt": sent["receipt"]})
    assert status.status_code == 200
    assert status.json()["state_label"] == "Diterima"
    assert status.json()["received_at"] == sent["received_at"]
    assert status.headers["cache-control"] == "no-store"


async def test_unknown_ticket_wrong_receipt_and_no_receipt_get_the_same_answer(door):
    sent = (await send(door)).json()
    known, unknown = f"/v1/reports/{sent['ticket']}", "/v1/reports/NTR-0000-0000-0000-0000"
    wrong = {"Netral-Receipt": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"}
    answers = [
        await door.http.get(known, headers=wrong),
        await door.http.get(unknown, headers=wrong),
        await door.http.get(unknown, headers={"Netral-Receipt": sent["receipt"]}),
        await door.http.get(known),
        await door.http.get(known, params={"receipt": sent["receipt"], "Netral-Receipt": sent["receipt"]}),
        await door.http.get(known, headers={"Netral-Receipt": "\u00e9".encode()}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_after_twenty_wrong_receipts_a_ticket_must_rest_a_minute(door):
    sent = (await send(door)).json()
    path = f"/v1/reports/{sent['ticket']}"
    for _ in range(20):
        assert (await door.http.get(path, headers={"Netral-Receipt": "X"})).status_code == 404
    right = {"Netral-Receipt": sent["receipt"]}
    blocked = await door.http.get(path, headers=right)
    assert (blocked.status_code, blocked.headers["retry-after"]) == (429, "61")
    door.clock.now += timedelta(seconds=61)
    assert (await door.http.get(path, headers=right)).status_code == 200


async def test_a_path_or_method_we_do_not_have_is_a_problem_too(door):
    for answer in (await door.http.get("/nothing"), await door.http.put("/v1/reports")):
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


async def test_readiness_names_what_is_missing(door):
    assert (await door.http.get("/readyz")).status_code == 200
    door.bus.away = "clean"
    answer = await door.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the broker is not reachable"]
    assert (await door.http.get("/healthz")).status_code == 200
