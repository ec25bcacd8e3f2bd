"""Provisioning is idempotent, and drift is told."""

import dataclasses

import pytest
from nats.js.api import StorageType, StreamConfig

from contracts.topology import CONSUMERS, STREAMS
from deploy.streams import Drift, drift, provision

pytestmark = pytest.mark.broker


@pytest.fixture
async def js(fresh_nats):
    nc = await fresh_nats.connect()
    yield nc.jetstream()
    await nc.close()


async def test_provisioning_twice_changes_nothing(js):
    before = [await js.stream_info(stream.name) for stream in STREAMS]
    assert await provision(js, replicas=1) == []
    after = [await js.stream_info(stream.name) for stream in STREAMS]
    assert [info.config for info in after] == [info.config for info in before]


async def test_streams_keep_for_ever_refuse_when_full_and_cannot_be_purged(js):
    config = (await js.stream_info("CASES")).config
    assert (config.storage, config.discard, config.compression) == ("file", "new", "s2")
    assert config.allow_atomic
    assert config.deny_delete
    assert config.deny_purge
    assert not (await js.stream_info("PARKED")).config.deny_purge


async def test_what_the_table_says_of_consumers_is_on_the_broker(js):
    for consumer in CONSUMERS:
        config = (await js.consumer_info(consumer.stream, consumer.name)).config
        assert (config.ack_wait, config.max_deliver) == (consumer.ack_wait, consumer.max_deliver)
        assert config.filter_subjects == list(consumer.filters)


async def test_a_missing_consumer_is_told_and_made_again(js):
    await js.delete_consumer("CASES", "routing-projection")
    assert await drift(js) == [
        Drift("consumer routing-projection on CASES", "existence", "there", "missing", "run `netral provision`")
    ]
    assert await provision(js, replicas=1) == []


async def test_changed_fields_are_told_and_put_right(js):
    config = (await js.stream_info("REPORTS")).config
    await js.update_stream(dataclasses.replace(config, duplicate_window=60))
    consumer = (await js.consumer_info("REPORTS", "routing")).config
    await js.add_consumer("REPORTS", dataclasses.replace(consumer, max_ack_pending=7))
    assert [str(item) for item in await drift(js)] == [
        "stream REPORTS: duplicate_window is 60.0, should be 3600; run `netral provision`",
        "consumer routing on REPORTS: max_ack_pending is 7, should be 1000; run `netral provision`",
    ]
    assert await provision(js, replicas=1) == []


async def test_settings_of_others_survive_an_update(js):
    config = (await js.stream_info("CASES")).config
    await js.update_stream(dataclasses.replace(config, description="kept", duplicate_window=60))
    assert await provision(js, replicas=1) == []
    assert (await js.stream_info("CASES")).config.description == "kept"


async def test_an_unknown_stream_is_told_and_left_alone(js):
    await js.add_stream(StreamConfig(name="STRANGER", subjects=["stranger"]))
    assert [str(item) for item in await provision(js, replicas=1)] == [
        "stream STRANGER is there, should be absent; delete it by hand if nobody needs it"
    ]


async def test_a_change_the_broker_refuses_is_told_with_its_reason(js):
    await js.delete_stream("PARKED")
    await js.add_stream(StreamConfig(name="PARKED", subjects=["parked.>"], storage=StorageType.MEMORY))
    left = await provision(js, replicas=1)
    assert {item.thing for item in left} == {"stream PARKED"}
    storage = next(item for item in left if item.field == "storage")
    assert (storage.wanted, storage.found) == ("file", "memory")
    assert "the broker refuses the change" in storage.cure


async def test_replicas_are_compared_when_they_are_asked_for(js):
    assert await drift(js) == []
    assert {item.field for item in await drift(js, replicas=3)} == {"num_replicas"}
