"""What librdkafka's errors mean. It reports some by exceptions, and what kept it from connecting by a callback."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub

if TYPE_CHECKING:
    from toolkit.environments.events import Kafka as Part

_THREAD: Final = re.compile(r"^\S+/\S+: |\s*\(after \d+ms in state \w+[^)]*\)")
_OTHER_PROTOCOL: Final = re.compile(r"Invalid response size|receive\.message\.max\.bytes|Unexpected response")
_LONGEST: Final = 300


@dataclass
class Reported:
    """What the callback told, since it was last cleared. Thread-safe."""

    _errors: list[Any] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, error: Any) -> None:
        with self._lock:
            self._errors.append(error)

    def taken(self) -> list[Any]:
        with self._lock:
            found, self._errors = self._errors, []
        return found


def telling(errors: list[Any]) -> Any | None:
    """The one that says most: why nobody lets us in, else why nobody can be reached once all brokers are down."""
    from confluent_kafka import KafkaError

    for code in (
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError._SSL,
    ):
        for error in errors:
            if error.code() == code:
                return error
    if any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in errors):
        reasons = [error for error in errors if error.code() in (KafkaError._TRANSPORT, KafkaError._RESOLVE)]
        return (reasons or errors)[-1]
    return None


def translated(error: Any, part: Part, by_hand: str) -> ToolkitError:
    """A KafkaError as one of ours."""
    from confluent_kafka import KafkaError

    where, words, code = f"Kafka at {part.bootstrap}", _words(error), error.code()
    hand = (by_hand,)
    if code in (
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    ):
        return NotAllowed(
            f"{where} does not take the account: {words}.",
            hint="Was it changed? Vault's copy is at kafka.vault_path; is kafka.sasl_mechanism one the brokers have?",
            by_hand=hand,
        )
    if code == KafkaError._SSL:
        return Unreachable(
            f"{where} shows a certificate that is not trusted, or does not speak TLS there: {words}.",
            hint="kafka.ca_file names the authority that signed it; kafka.security_protocol whether TLS is spoken.",
            by_hand=hand,
        )
    if code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
        return NotAllowed(
            f"{where} does not let the account read the topic {part.topic}.",
            hint="Ask Kafka's administrators for READ and DESCRIBE on that topic.",
            by_hand=hand,
        )
    if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return NotAllowed(
            f"{where} does not let the account see that consumer group.",
            hint="Ask Kafka's administrators for DESCRIBE on it.",
            by_hand=hand,
        )
    if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.TOPIC_EXCEPTION):
        return NotFound(
            f"{where} has no topic {part.topic} (or does not show it to this account).",
            hint="Correct kafka.topic; those who run phenoservice-api know its name.",
            by_hand=hand,
        )
    if code in (KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT):
        return TimedOut(
            f"{where} did not answer within {part.timeout_seconds:g} s.",
            hint="It hangs rather than refuses: a firewall, a VPN that is down, or brokers under load.",
            by_hand=hand,
        )
    if code in (KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION):
        return Unreachable(
            f"{where} has no leader for a partition of {part.topic}: it cannot be read now.",
            hint="Kafka's administrators can see which broker is missing; try again in a minute.",
            by_hand=hand,
        )
    if _OTHER_PROTOCOL.search(words):
        return Unreachable(
            f"What answers at {part.bootstrap} is not Kafka, or speaks TLS while kafka.security_protocol is without.",
            hint="Correct kafka.bootstrap and kafka.security_protocol; does a gateway stand before the brokers?",
            by_hand=hand,
        )
    if code == KafkaError._ALL_BROKERS_DOWN:
        words = "no broker takes the connection, or each closes it"
    if code in (KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._ALL_BROKERS_DOWN, KafkaError._BAD_MSG):
        return Unreachable(
            f"{where} cannot be reached: {words}.",
            hint="Is your VPN up? Are kafka.bootstrap and kafka.security_protocol those that the brokers have?",
            by_hand=hand,
        )
    return Failed(f"{where} refuses: {words} ({error.name()}).", by_hand=hand)


def _words(error: Any) -> str:
    """What librdkafka says, without the names of its threads."""
    text = " ".join(scrub(str(error.str() or error.name())).split())
    while (shorter := _THREAD.sub("", text)) != text:
        text = shorter
    return text[:_LONGEST].rstrip(". ")
