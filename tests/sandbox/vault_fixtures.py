"""The sandbox's Vault on a thread of its own, a home without anybody's tokens, and sockets that answer badly."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from toolkit.environments import model
from toolkit.sandbox.vault.api import VaultServer
from toolkit.systems.vault import Vault

T = TypeVar("T")

MOUNT, PATH = "secret", "phenoapp/managed_redis"
REDIS_TOKEN = "redis-token-9f3kq0"
ONCALL = {"secret/data/phenoapp/*": ("read",), "secret/metadata/phenoapp/*": ("list", "read")}


@dataclass
class RunningVault:
    """A VaultServer and the loop it lives in. `do` calls one of its methods there."""

    server: VaultServer
    loop: asyncio.AbstractEventLoop
    home: Path
    opened: list[Vault] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def do(self, what: Callable[[VaultServer], T]) -> T:
        async def there() -> T:
            return what(self.server)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(10)

    def token(self, *policies: str, ttl: int | None = 3600) -> str:
        return self.do(lambda server: server.create_token(policies or ("oncall",), ttl))

    def keep(self, token: str) -> None:
        """As if somebody had logged in: the token is in ~/.vault-token."""
        path = self.home / ".vault-token"
        path.write_text(token)
        path.chmod(0o600)

    def vault(self, **keys: Any) -> Vault:
        """The system under test, against this server."""
        vault = Vault(model.Vault(**{"address": self.url, "timeout_seconds": 5.0, **keys}))
        self.opened.append(vault)
        return vault


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of its own, nowhere near a screen or an ssh connection."""
    directory = tmp_path / "person"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    for name in ("SSH_CONNECTION", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever, daemon=True)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join(10)
    running.close()


@pytest.fixture
def running(loop: asyncio.AbstractEventLoop, person: Path) -> Iterator[RunningVault]:
    """Vault with the Redis token in KV version 2, and a token in ~/.vault-token that may read it."""
    server = VaultServer(mounts={MOUNT: 2, "old": 1})
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    vault = RunningVault(server, loop, person)
    vault.do(lambda server: server.write_policy("oncall", ONCALL))
    vault.do(lambda server: server.put_kv(MOUNT, PATH, {"token": REDIS_TOKEN, "host": "10.0.0.7"}))
    vault.keep(vault.token())
    yield vault
    for opened in vault.opened:
        opened.close()
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)


@dataclass
class BadServer:
    """Listens and answers every request with `answer` (None: never), then closes."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def bad_server() -> Iterator[Callable[[bytes | None], BadServer]]:
    """Starts servers that are no Vault."""
    listeners: list[socket.socket] = []
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(listener: socket.socket, answer: bytes | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            try:
                connection.recv(65536)
                if answer is not None:
                    connection.sendall(answer)
                    connection.close()
            except OSError:
                pass

    def start(answer: bytes | None) -> BadServer:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=serve, args=(listener, answer), daemon=True)
        thread.start()
        threads.append(thread)
        return BadServer(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(5)
    for connection in connections:
        connection.close()


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1: the PEM file, and a server's TLS context with it."""

    file: Path
    context: ssl.SSLContext


def certificate(directory: Path, *, address: str = "127.0.0.1", days: int = 1) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, private = directory / "ca.pem", directory / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return Certificate(file, context)
