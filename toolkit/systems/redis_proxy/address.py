"""Where the Redis proxy is, whether it answers there, and how one would go there by hand."""

from __future__ import annotations

import ipaddress
import re
import shlex
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.environments import model
from toolkit.errors import ConfigurationError, ToolkitError
from toolkit.systems.vault.server import locate

if TYPE_CHECKING:
    import ssl

_HOST_AND_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<host>[^\s:/@\[\]]+))(?::(?P<port>\d{1,5}))?", re.ASCII)
_PING = b"*1\r\n$4\r\nPING\r\n"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port of the proxy, and who says so."""

    host: str
    port: int
    source: str
    note: str = ""

    @property
    def endpoint(self) -> str:
        """host:port, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return self.endpoint

    def instead_of(self, configured: Address) -> Address:
        """This address, with a note that the configured one is out of date."""
        note = f"the configured {configured.endpoint} no longer answers; {self.source} says {self.endpoint}"
        return replace(self, note=note)


def configured_address(part: model.Redis) -> Address | None:
    """`redis.address` (host, host:port or [IPv6]:port), or None where it is empty. Raises ConfigurationError."""
    text = part.address.strip()
    if not text:
        return None
    found = _HOST_AND_PORT.fullmatch(text)
    host = (found["bracketed"] or found["host"]) if found else text
    port = int(found["port"] or part.port) if found else part.port
    try:
        good = 0 < port < 65536 and (":" not in host or bool(ipaddress.IPv6Address(host)))
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(
            f"redis.address is {part.address!r}, which is not host:port.",
            hint="For example 10.1.2.3:6379. Leave it empty to have it looked up at the proxy's Service.",
        )
    return Address(host, port, "redis.address in the configuration")


def answers(address: Address, timeout: float) -> bool:
    """Whether something takes a TCP connection there within `timeout` seconds."""
    try:
        socket.create_connection((address.host, address.port), timeout).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Answer:
    """How an address answered: `tcp` it takes connections, `redis` it speaks as a Redis does. `words` is for people."""

    tcp: bool
    redis: bool
    words: str
    seconds: float


def probe(address: Address, part: model.Redis) -> Answer:
    """Connect and say PING without a token: a Redis answers even that (it asks for the token)."""
    started = time.monotonic()
    tcp = False
    redis = False
    try:
        with socket.create_connection((address.host, address.port), part.timeout_seconds) as plain:
            tcp = True
            connection: socket.socket = plain
            if part.tls:
                connection = tls_context(part).wrap_socket(plain, server_hostname=tls_name(part, address))
            with connection:
                connection.sendall(_PING)
                reply = connection.recv(512)
        redis = reply.startswith((b"+PONG", b"-"))
        words = "answers as a Redis" if redis else "answers, but not as a Redis"
        if not reply:
            words = "takes the connection and closes it again"
    except TimeoutError:
        words = "takes the connection and says nothing" if tcp else "does not answer"
    except ConnectionRefusedError:
        words = "refuses the connection"
    except socket.gaierror:
        words = "is a host name that cannot be resolved"
    except OSError as error:
        words = f"breaks off: {error.strerror or error}" if tcp else f"cannot be reached: {error.strerror or error}"
    return Answer(tcp, redis, words, round(time.monotonic() - started, 3))


def tls_context(part: model.Redis) -> ssl.SSLContext:
    """A context that trusts `redis.ca_file`, or the machine's authorities. Raises ConfigurationError."""
    import ssl

    try:
        return ssl.create_default_context(cafile=Path(part.ca_file).expanduser() if part.ca_file else None)
    except OSError as error:
        raise ConfigurationError(
            f"redis.ca_file {part.ca_file!r} cannot be used: {error.strerror or error}.",
            hint="It must be a file of PEM certificates.",
        ) from error


def tls_name(part: model.Redis, address: Address) -> str:
    """The name that the server's certificate must carry."""
    return part.server_name or address.host


def cli_arguments(part: model.Redis, address: Address) -> list[str]:
    """What redis-cli has to be told, but for the token, which it takes from REDISCLI_AUTH."""
    arguments = ["-h", address.host, "-p", str(address.port)]
    if part.tls:
        arguments.append("--tls")
        if part.ca_file:
            arguments += ["--cacert", part.ca_file]
        if part.server_name:
            arguments += ["--sni", part.server_name]
    if part.username:
        arguments += ["--user", part.username]
    return arguments


def by_hand(part: model.Redis, address: Address, *words: str) -> str:
    """The redis-cli command that one would type; the token comes from REDISCLI_AUTH."""
    return shlex.join(["redis-cli", *cli_arguments(part, address), *words])


def token_by_hand(vault: model.Vault) -> str:
    """The line that puts the token where redis-cli looks for it."""
    command = f"kv get -field={shlex.quote(vault.field)} {shlex.quote(f'{vault.mount}/{vault.path}')}"
    try:
        return f'export REDISCLI_AUTH="$({locate(vault).by_hand(command)})"'
    except ToolkitError:  # no address is known: a person's shell may know it
        return f'export REDISCLI_AUTH="$(vault {command})"'
