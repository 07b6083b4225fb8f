"""One connection to Kafka that reads a topic: offsets, what lies between them, and what comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from toolkit.errors import TimedOut, ToolkitError
from toolkit.progress import SILENT, Progress
from toolkit.systems.kafka.errors import Reported, telling
from toolkit.systems.kafka.event import Event, Notice, read_event

if TYPE_CHECKING:
    from toolkit.environments.events import Kafka as Part

T = TypeVar("T")

_SLICE: Final = 0.25  # s; how often it is looked whether something went wrong meanwhile
_BATCH: Final = 500
_HANGS: Final = 0.8  # of the time: so long it takes until brokers that say nothing count as down


class Reader:
    """Reads the topic of `part` with `consumer`; `ours` makes an error of ours of one of librdkafka's."""

    def __init__(self, part: Part, consumer: Any, reported: Reported, ours: Callable[[Any], ToolkitError]) -> None:
        self._part = part
        self._consumer = consumer
        self._reported = reported
        self._ours = ours

    def spans(self, since: datetime | None) -> dict[int, tuple[int, int]]:
        """Of each partition the offset to begin at, and where it ends now."""
        from confluent_kafka import TopicPartition

        topic = self._part.topic
        metadata = self._asked(lambda wait: self._consumer.list_topics(topic, timeout=wait)).topics[topic]
        if metadata.error is not None:
            raise self._ours(metadata.error)
        for one in metadata.partitions.values():
            if one.error is not None:
                raise self._ours(one.error)
        found = {}
        for number in sorted(metadata.partitions):
            one = TopicPartition(topic, number)
            found[number] = self._asked(partial(self._marks, one))
        if since is None:
            return found
        at = int(since.timestamp() * 1000)
        wanted = [TopicPartition(topic, number, at) for number in found]
        for one in self._asked(lambda wait: self._consumer.offsets_for_times(wanted, timeout=wait)):
            if one.error is not None:
                raise self._ours(one.error)
            low, end = found[one.partition]
            found[one.partition] = (one.offset if one.offset >= low else end, end)  # -1: all are older
        return found

    def _marks(self, one: Any, wait: float) -> tuple[int, int]:
        """The first offset that is kept, and the end."""
        low, end = self._consumer.get_watermark_offsets(one, timeout=wait)
        return low, end

    def read(self, spans: dict[int, tuple[int, int]], progress: Progress = SILENT) -> list[Event]:
        """All events of the spans, in no particular order."""
        left = {number: end for number, (start, end) in spans.items() if start < end}
        total = sum(end - start for start, end in spans.values())
        events: list[Event] = []
        if not left:
            return events
        self.go_on({number: spans[number][0] for number in left})
        silent_since = time.monotonic()
        while left:
            progress.check_stop()
            messages = self._consumer.consume(_BATCH, timeout=_SLICE)
            self._raise_what_was_reported()
            for message in messages:
                number = message.partition()
                if message.error() is not None:
                    if self._at_its_end(message.error()):
                        left.pop(number, None)  # what is between may have been deleted, or be a transaction's marker
                    continue
                if message.offset() < spans[number][1]:
                    events.append(self._event(message))
                if message.offset() + 1 >= left.get(number, 0):
                    left.pop(number, None)
            if messages:
                silent_since = time.monotonic()
                if total > _BATCH:
                    progress.advance("events read", len(events), total, "events")
            elif time.monotonic() - silent_since > self._part.timeout_seconds:
                raise TimedOut(
                    f"Kafka at {self._part.bootstrap} gave no message of {self._part.topic} within "
                    f"{self._part.timeout_seconds:g} s, though there are some.",
                    hint="It hangs rather than refuses: a broker under load, or a connection that is cut silently.",
                )
        return events

    def go_on(self, offsets: dict[int, int]) -> None:
        """Read on from these offsets, in these partitions alone."""
        from confluent_kafka import TopicPartition

        self._consumer.assign([TopicPartition(self._part.topic, number, offset) for number, offset in offsets.items()])

    def coming(self) -> Iterator[Event | Notice | None]:
        """What is written from now on."""
        told = ""
        while True:
            message = self._consumer.poll(_SLICE)
            problem = telling(self._reported.taken())
            if problem is not None:
                text = self._ours(problem).message
                if text != told:
                    yield Notice(text)
                told = text
            if message is None and told and problem is None and self._answers():
                told = ""
                yield Notice(f"Kafka at {self._part.bootstrap} answers again.", over=True)
            elif message is None:
                yield None
            elif message.error() is None:
                told = ""
                yield self._event(message)
            else:
                self._at_its_end(message.error())

    def _answers(self) -> bool:
        """Whether the broker answers a question now; asked only after it was lost: librdkafka does not tell."""
        from confluent_kafka import KafkaException

        try:
            self._marks(self._consumer.assignment()[0], _SLICE)
        except KafkaException:
            return False
        return True

    def _event(self, message: Any) -> Event:
        return read_event(
            message.partition(),
            message.offset(),
            message.timestamp(),
            message.key(),
            message.value(),
            self._part.group_field,
        )

    def _asked(self, ask: Callable[[float], T]) -> T:
        """What `ask` gives. It is asked in slices: librdkafka would try until the time is up, whatever it was told."""
        from confluent_kafka import KafkaError, KafkaException

        begun = time.monotonic()
        end = begun + self._part.timeout_seconds
        while True:
            try:
                return ask(max(0.05, min(_SLICE * 4, end - time.monotonic())))
            except KafkaException as error:
                problem = error.args[0]
            self._consumer.poll(0)  # lets the callback be called
            reported = telling(self._reported.taken())
            if reported is not None:
                if reported.code() == KafkaError._ALL_BROKERS_DOWN and time.monotonic() - begun > _HANGS * (
                    end - begun
                ):
                    reported = KafkaError(KafkaError._TIMED_OUT)
                raise self._ours(reported)
            passing = problem.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)
            if not passing:
                raise self._ours(problem)
            if time.monotonic() >= end:
                raise self._ours(KafkaError(KafkaError._TIMED_OUT))

    def _raise_what_was_reported(self) -> None:
        problem = telling(self._reported.taken())
        if problem is not None:
            raise self._ours(problem)

    def _at_its_end(self, error: Any) -> bool:
        """Whether the error only says that a partition has no more; those of the group that is never joined are passed
        over. Raises every other one."""
        from confluent_kafka import KafkaError

        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED or error.retriable():
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        if error.code() in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT):
            return False
        raise self._ours(error)
