"""The reader against librdkafka's own mock cluster, which nobody here wrote, and what the sandbox's broker lets it do.

The mock cluster looks no offsets up by time and speaks neither TLS nor SASL: those are tried on the sandbox's broker.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from toolkit.environments.events import Kafka as Part
from toolkit.errors import ToolkitError
from toolkit.sandbox.builds import built_groups
from toolkit.sandbox.kafka.api import KafkaBroker
from toolkit.sandbox.places import RP006, scheduled_runs
from toolkit.secret import Secret
from toolkit.systems.kafka import Account, Event, Kafka
from toolkit.systems.kafka.settings import GROUP_ID

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
TOPIC = "group-created"


@dataclass
class Mock:
    """A cluster that lives as long as its producer."""

    producer: Any
    bootstrap: str

    def publish(self, number: int, value: bytes | None = None) -> None:
        at = int((BEGIN + timedelta(hours=number)).timestamp() * 1000)
        text = b'{"data": {"name": "g%d"}}' % number if value is None else value
        self.producer.produce(TOPIC, text, key=b"k%d" % number, partition=number % 3, timestamp=at)
        assert self.producer.flush(10) == 0

    def kafka(self, **more: Any) -> Kafka:
        part = Part(
            bootstrap=self.bootstrap, topic=TOPIC, security_protocol="PLAINTEXT", group_field="data.name", **more
        )
        return Kafka(part, Account)


@pytest.fixture
def mock() -> Mock:
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    brokers = producer.list_topics(timeout=10).brokers.values()
    return Mock(producer, ",".join(f"{one.host}:{one.port}" for one in brokers))


def test_all_partitions_in_one_order_of_time(mock: Mock) -> None:
    for number in (5, 0, 4, 2, 1, 3):
        mock.publish(number)
    found = mock.kafka().events()
    assert [event.group for event in found] == ["g0", "g1", "g2", "g3", "g4", "g5"]
    assert [event.key for event in found] == ["k0", "k1", "k2", "k3", "k4", "k5"]
    assert found[1].time == BEGIN + timedelta(hours=1)
    assert found[1].stamped_by == "producer"
    assert [event.group for event in mock.kafka().latest(2)] == ["g4", "g5"]


def test_what_is_no_json_is_still_shown_by_its_key(mock: Mock) -> None:
    mock.publish(1, b"\x00\x00\x00\x00\x07\x02g1")
    (event,) = mock.kafka().events()
    assert (event.group, event.document) == ("k1", None)
    assert "is no JSON object (8 bytes)" in event.problem


def test_what_comes_while_it_is_followed(mock: Mock) -> None:
    mock.publish(1)
    following = mock.kafka().follow(1)
    seen = []
    for item in following:
        if isinstance(item, Event):
            seen.append(item.group)
            if len(seen) == 1:
                mock.publish(2)
            else:
                break
    following.close()
    assert seen == ["g1", "g2"]


def test_the_lag_of_a_consumer_that_committed_and_of_one_that_never_did(mock: Mock) -> None:
    for number in range(6):
        mock.publish(number)
    consumer = Consumer({"bootstrap.servers": mock.bootstrap, "group.id": "reader", "log_level": 0})
    consumer.commit(
        offsets=[TopicPartition(TOPIC, number, 2 - (number == 1)) for number in range(3)], asynchronous=False
    )
    consumer.close()
    found = mock.kafka().lag(["reader", "nobody"])
    lags = found["reader"]
    assert not isinstance(lags, ToolkitError)
    ours = {one.partition: one.behind for one in lags if one.end}
    assert ours == {0: 0, 1: 1, 2: 0}
    never = found["nobody"]
    assert not isinstance(never, ToolkitError)
    assert {one.committed for one in never} == {None}


def test_nothing_is_committed_under_the_name_that_librdkafka_wants(mock: Mock) -> None:
    mock.publish(1)
    assert mock.kafka().events()
    consumer = Consumer({"bootstrap.servers": mock.bootstrap, "group.id": GROUP_ID, "log_level": 0})
    (committed,) = consumer.committed([TopicPartition(TOPIC, 1)], timeout=10)
    consumer.close()
    assert committed.offset == -1001


@pytest.fixture
def broker() -> Iterator[KafkaBroker]:
    """The sandbox's broker in a thread, without TLS."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    broker = KafkaBroker("on-call", "a-password-of-ours")
    broker.topics.reset([RP006])
    for group in reversed(built_groups("rp006", 6, scheduled_runs(datetime.now(UTC), 1)[0])):
        broker.topics.announce(RP006, group)
    asyncio.run_coroutine_threadsafe(broker.start(), loop).result(10)
    yield broker
    asyncio.run_coroutine_threadsafe(broker.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_it_joins_no_consumer_group_commits_nothing_and_writes_nothing(broker: KafkaBroker) -> None:
    part = Part(
        bootstrap=broker.address,
        topic=RP006.topic,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        vault_path="kafka",
    )
    kafka = Kafka(part, lambda: Account("on-call", Secret("a-password-of-ours")))
    every = kafka.events()
    assert len(every) == 5
    third = every[2].time
    assert third is not None
    assert kafka.events(third) == every[2:]
    assert kafka.events(third + timedelta(milliseconds=1)) == every[3:]
    assert kafka.events(datetime.now(UTC)) == []
    kafka.lag(RP006.consumer_groups)
    following = kafka.follow(1)
    assert next(following) == every[-1]
    following.close()
    assert broker.refused == []
    assert broker.requests_seen > 20
