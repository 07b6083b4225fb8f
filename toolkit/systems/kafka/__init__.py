"""Kafka through librdkafka, for reading alone: the messages of one topic by time, and how far consumers are behind.

No consumer group is joined and nothing is ever committed: partitions are assigned, and read from offsets that were
looked up. librdkafka asks for a coordinator of a group it is given by name, and gets none where an ACL forbids it; that
is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import TimedOut, ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.kafka.errors import Reported, translated
from toolkit.systems.kafka.event import Event, Notice
from toolkit.systems.kafka.reader import Reader
from toolkit.systems.kafka.settings import Account, by_hand, checked, reading, settings

if TYPE_CHECKING:
    from toolkit.environments.events import Kafka as Part

__all__ = ["Account", "Event", "Kafka", "Lag", "Notice"]

MOST_EVENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer group is in a partition: `behind` messages. None: it has committed nothing there."""

    consumer_group: str
    partition: int
    committed: int | None
    end: int
    behind: int | None


class Kafka:
    """The topic of the group-created events, as `part` configures it. `account` reads what Vault holds, each time;
    `password_by_hand` is the command that prints the password. Thread-safe: each question has its own connection."""

    def __init__(self, part: Part, account: Callable[[], Account], password_by_hand: str = "") -> None:
        checked(part)
        self.part = part
        self._account = account
        self._password_by_hand = password_by_hand

    def events(
        self, since: datetime | None = None, until: datetime | None = None, progress: Progress = SILENT
    ) -> list[Event]:
        """The events from `since` (None: the first that is kept) until `until` (None: now), by time.

        Of more than MOST_EVENTS the last ones.
        """
        with self._reader() as reader:
            spans = reader.spans(since)
            return _within(reader.read(spans, progress), since, until)[-MOST_EVENTS:]

    def latest(self, count: int, progress: Progress = SILENT) -> list[Event]:
        """The last `count` events, by time."""
        with self._reader() as reader:
            spans = {one: (max(low, end - count), end) for one, (low, end) in reader.spans(None).items()}
            return _within(reader.read(spans, progress), None, None)[-count:] if count else []

    def follow(self, count: int = 0, since: datetime | None = None) -> Iterator[Event | Notice | None]:
        """The last `count` events (or those from `since` on), then each new one as it is written; None where nothing
        came for a moment. It goes on until the caller ends it; after a lost connection nothing is missed.
        """
        with self._reader() as reader:
            spans = reader.spans(since)
            if since is None:
                spans = {one: (max(low, end - count), end) for one, (low, end) in spans.items()}
            before = _within(reader.read(spans), since, None)
            yield from before if since is not None else before[-count:] if count else []
            reader.go_on({one: end for one, (_, end) in spans.items()})
            yield from reader.coming()

    def lag(self, consumer_groups: Sequence[str]) -> dict[str, list[Lag] | ToolkitError]:
        """How far each of the consumer groups is in the topic, by partition; or why that cannot be told."""
        from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
        from confluent_kafka.admin import AdminClient

        with self._reader() as reader:
            ends = {partition: end for partition, (_, end) in reader.spans(None).items()}
        admin = AdminClient(settings(self.part, self._account(), Reported()))
        found: dict[str, list[Lag] | ToolkitError] = {}
        for name in consumer_groups:
            asked = admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(name, [TopicPartition(self.part.topic, number) for number in ends])],
                request_timeout=self.part.timeout_seconds,
            )
            try:
                answer = asked[name].result(self.part.timeout_seconds + 1)
            except KafkaException as error:
                found[name] = self._ours(error.args[0])
            except TimeoutError:
                found[name] = TimedOut(f"Kafka did not say within {self.part.timeout_seconds:g} s how far {name} is.")
            else:
                committed = {one.partition: one.offset for one in answer.topic_partitions if self._is_ours(one)}
                found[name] = [_lag(name, number, committed.get(number, -1), end) for number, end in ends.items()]
        return found

    def by_hand(self, *more: str) -> str:
        """The command that reads the topic: all of it, unless `more` says otherwise."""
        return by_hand(
            self.part, self._password_by_hand, "-C", f"-t {self.part.topic}", *(more or ("-o beginning", "-e"))
        )

    def close(self) -> None:
        """Nothing stays open between questions."""

    def _is_ours(self, one: Any) -> bool:
        return bool(one.topic == self.part.topic and one.error is None)

    def _ours(self, error: Any) -> ToolkitError:
        return translated(error, self.part, self.by_hand())

    @contextmanager
    def _reader(self) -> Iterator[Reader]:
        from confluent_kafka import Consumer, KafkaException

        reported = Reported()
        account = self._account()
        try:
            consumer = Consumer(reading(settings(self.part, account, reported)))
        except KafkaException as error:
            raise self._ours(error.args[0]) from error
        try:
            yield Reader(self.part, consumer, reported, self._ours)
        finally:
            consumer.close()


def _within(events: list[Event], since: datetime | None, until: datetime | None) -> list[Event]:
    """By time. Within a partition messages need not be in the order of their times."""
    kept = [
        event
        for event in events
        if event.time is None or ((since is None or event.time >= since) and (until is None or event.time < until))
    ]
    return sorted(kept, key=lambda event: event.order)


def _lag(name: str, partition: int, committed: int, end: int) -> Lag:
    if committed < 0:
        return Lag(name, partition, None, end, 0 if not end else None)
    return Lag(name, partition, committed, end, max(0, end - committed))
