"""librdkafka's settings for a client that only reads, from the environment's part and the account that Vault holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import ConfigurationError
from toolkit.secret import Secret

if TYPE_CHECKING:
    from toolkit.environments.events import Kafka as Part

# librdkafka lets nobody read without the name of a group. It is never joined, and nothing is committed under it.
GROUP_ID: Final = "mapapp-toolkit-reads-only"
_LOOPBACK: Final = ("127.", "localhost:", "[::1]:")

_SILENT: Final = logging.getLogger("toolkit.kafka")  # what librdkafka would write to stderr by itself
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


@dataclass(frozen=True, slots=True)
class Account:
    """What Vault holds: a user's name and password, or a client's certificate and key in PEM."""

    username: str = ""
    password: Secret | None = None
    certificate: str = ""
    key: Secret | None = None


def checked(part: Part) -> None:
    """Raises ConfigurationError where the part cannot be worked with."""
    for key, what in (("bootstrap", "Where Kafka is"), ("topic", "Which topic has the group-created events")):
        if not getattr(part, key):
            raise ConfigurationError(
                f"{what} is not configured: kafka.{key} is empty.",
                hint="Set it under [environments.NAME.kafka]; those who run phenoservice-api know it.",
            )
    if uses_sasl(part) and not part.vault_path:
        raise ConfigurationError(
            f"kafka.security_protocol is {part.security_protocol}, and kafka.vault_path is empty: there is no account.",
            hint="Ask Kafka's administrators for an account that may read the topic, and write it to Vault.",
        )
    if part.security_protocol == "SASL_PLAINTEXT" and part.sasl_mechanism == "PLAIN" and not _all_here(part):
        raise ConfigurationError(
            "kafka.security_protocol SASL_PLAINTEXT with the mechanism PLAIN sends the password in the clear.",
            hint="Use SASL_SSL, or one of the SCRAM mechanisms.",
        )
    if bool(part.certificate_field) != bool(part.key_field):
        raise ConfigurationError(
            "Only one of kafka.certificate_field and kafka.key_field is set.", hint="A client's certificate needs both."
        )


def uses_sasl(part: Part) -> bool:
    return part.security_protocol.startswith("SASL")


def settings(part: Part, account: Account, on_error: Callable[[Any], None]) -> dict[str, Any]:
    """What both the reader and the administrator's client are made with. `on_error` is librdkafka's error_cb."""
    wait = int(part.timeout_seconds * 1000)
    found: dict[str, Any] = {
        "bootstrap.servers": part.bootstrap,
        "client.id": "mapapp-toolkit",
        "security.protocol": part.security_protocol,
        "socket.timeout.ms": max(10, wait),
        "socket.connection.setup.timeout.ms": max(1000, wait),
        "reconnect.backoff.max.ms": 2000,
        "error_cb": on_error,
        "logger": _SILENT,
    }
    if part.security_protocol.endswith("SSL"):
        if part.ca_file:
            found["ssl.ca.location"] = str(_readable(part.ca_file))
        if account.certificate and account.key is not None:
            found["ssl.certificate.pem"] = account.certificate
            found["ssl.key.pem"] = account.key.reveal()
    if uses_sasl(part):
        found["sasl.mechanism"] = part.sasl_mechanism
        found["sasl.username"] = account.username
        found["sasl.password"] = account.password.reveal() if account.password is not None else ""
    return found


def reading(common: dict[str, Any]) -> dict[str, Any]:
    """The same for a client that reads messages, joins no consumer group and commits nothing."""
    return {
        **common,
        "group.id": GROUP_ID,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",  # what was asked for may have been deleted meanwhile
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 200,
        "queued.max.messages.kbytes": 16_384,
    }


def by_hand(part: Part, token_by_hand: str, *more: str) -> str:
    """kcat, which reads the password from a pipe: on a command line others could see it."""
    words: Sequence[str] = (
        f"-b {part.bootstrap}",
        f"-X security.protocol={part.security_protocol}",
        *([f"-X ssl.ca.location={part.ca_file}"] if part.ca_file else []),
        *([f"-X sasl.mechanism={part.sasl_mechanism}"] if uses_sasl(part) else []),
        *more,
    )
    if not (uses_sasl(part) and token_by_hand):
        return f"kcat {' '.join(words)}"
    name = token_by_hand.replace(f"-field={part.password_field}", f"-field={part.username_field}")
    account = f'printf \'sasl.username=%s\\nsasl.password=%s\\n\' "$({name})" "$({token_by_hand})"'
    return f"kcat -F <({account}) {' '.join(words)}"


def _all_here(part: Part) -> bool:
    return all(server.strip().startswith(_LOOPBACK) for server in part.bootstrap.split(","))


def _readable(name: str) -> Path:
    file = Path(name).expanduser()
    try:
        file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"kafka.ca_file is {name!r}, which cannot be read: {error.strerror or error}.",
            hint="It must be a PEM file with the certificate of the authority that signed the brokers'.",
        ) from error
    return file
