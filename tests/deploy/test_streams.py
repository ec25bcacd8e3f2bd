"""Streams come from one table; applying it twice changes nothing, and a difference is named."""

from typing import Any

import nats as client
import pytest
from nats.js.api import DeliverPolicy, RePublish, StreamConfig, StreamSource, SubjectTransform

from contracts.topology import STREAMS
from deploy.streams import drift, provision
from services.runtime.connecting import connection
from tests.conftest import Broker

pytestmark = pytest.mark.broker


async def test_a_provisioned_broker_has_no_drift(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    assert await drift(nc.jetstream()) == []
    assert await provision(nc.jetstream()) == []
    await nc.close()


async def test_a_changed_stream_is_named_and_mended(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    config = (await js.stream_info("CASES")).config
    config.duplicate_window = 60.0
    await js.update_stream(config)
    assert [d.field for d in await drift(js)] == ["duplicate_window"]
    assert [d.applied for d in await provision(js)] == [True]
    assert await drift(js) == []
    await nc.close()


async def test_a_sealed_stream_is_named_although_nobody_can_open_it_again(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    config = (await js.stream_info("CASES")).config
    config.sealed = True
    await js.update_stream(config)
    assert [(d.what, d.field) for d in await drift(js)] == [("stream CASES", "sealed")]
    [left] = await provision(js)
    assert not left.applied
    assert "sealed" in str(left)
    await nc.close()


async def test_every_limit_and_detour_of_a_stream_that_the_table_does_not_know_is_named_and_mended(
    fresh_nats: Broker,
) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    changes: dict[str, Any] = {
        "max_msgs": 3,
        "max_msgs_per_subject": 1,
        "max_msg_size": 100,
        "no_ack": True,
        "republish": RePublish(src=">", dest="copy.>"),
        "subject_transform": SubjectTransform(src="cases.>", dest="others.>"),
        "sources": [StreamSource(name="TOLD")],
    }
    for field, value in changes.items():
        config = (await js.stream_info("CASES")).config
        setattr(config, field, value)
        await js.update_stream(config)
        assert [d.field for d in await drift(js)] == [field]
        assert [d.applied for d in await provision(js)] == [True]
        assert await drift(js) == []
    await nc.close()


async def test_a_durable_that_is_paused_or_hears_no_bodies_is_named_and_mended(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    await js.pause_consumer("CASES", "routing-projection", "2999-01-01T00:00:00Z")
    config = (await js.consumer_info("REPORTS", "routing")).config
    config.headers_only, config.inactive_threshold = True, 60.0
    await js.add_consumer("REPORTS", config)
    named = {(d.what, d.field) for d in await drift(js)}
    assert named == {
        ("consumer CASES/routing-projection", "paused"),
        ("consumer REPORTS/routing", "headers_only"),
        ("consumer REPORTS/routing", "inactive_threshold"),
    }
    assert all(d.applied for d in await provision(js))
    assert await drift(js) == []
    await nc.close()


async def test_a_durable_that_cannot_be_changed_in_place_is_told_to_be_deleted(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    config = (await js.consumer_info("CASES", "routing-projection")).config
    config.deliver_policy = DeliverPolicy.NEW
    await js.delete_consumer("CASES", "routing-projection")
    await js.add_consumer("CASES", config)
    [left] = await provision(js)
    assert (left.field, left.applied) == ("deliver_policy", False)
    assert "nats consumer rm CASES routing-projection" in str(left)
    await js.delete_consumer("CASES", "routing-projection")
    assert [d.applied for d in await provision(js)] == [True]
    await nc.close()


async def test_an_unknown_stream_and_a_missing_consumer_are_named(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    await js.add_stream(StreamConfig(name="STRAY", subjects=["stray"]))
    await js.delete_consumer("REPORTS", "routing")
    assert {(d.what, d.found) for d in await drift(js)} == {
        ("stream STRAY", "there"),
        ("consumer REPORTS/routing", "missing"),
    }
    await nc.close()


async def test_copies_that_there_are_no_servers_for_are_refused_with_the_cure(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    await js.delete_stream("TIMERS")
    [left] = [d for d in await provision(js, replicas=3) if d.what == "stream TIMERS"]
    assert (left.applied, left.new) == (False, True)
    assert "when all servers are up" in str(left)
    await nc.close()


async def test_nothing_acknowledged_can_be_deleted(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    for stream in (stream for stream in STREAMS if not (stream.deletable or stream.schedules)):
        with pytest.raises(client.js.errors.APIError):
            await js.purge_stream(stream.name)
    await nc.close()


async def test_an_installation_from_before_the_timers_gets_their_stream(fresh_nats: Broker) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    await js.delete_stream("TIMERS")
    assert {(d.what, d.applied) for d in await provision(js)} == {
        ("stream TIMERS", True),
        ("consumer TIMERS/routing-timers", True),
    }
    assert await drift(js) == []
    await nc.close()
