"""TLS to the Redis proxy: the right authority, the right name, and what is said where either is wrong."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis_fixtures import TOKEN, Proxied, needs_real_redis, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.environments import model
from toolkit.errors import Unreachable
from toolkit.sandbox.certificate import Certificate, make_certificate
from toolkit.secret import Secret
from toolkit.systems.redis_proxy import RedisProxy
from toolkit.systems.redis_proxy.address import Address, probe

pytestmark = needs_real_redis


class TlsProxy:
    """Ends TLS and passes what is inside on to the plain proxy."""

    def __init__(self, certificate: Certificate, host: str, target: Address) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.chain)
        self.target = target
        self.listener = socket.create_server((host, 0))
        self.address = Address(host, self.listener.getsockname()[1], "the test")
        self.threads = [threading.Thread(target=self.serve, daemon=True)]
        self.threads[0].start()

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.session, args=(plain,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def session(self, plain: socket.socket) -> None:
        with plain:
            try:
                client = self.context.wrap_socket(plain, server_side=True)
            except OSError:
                return
            with client, socket.create_connection((self.target.host, self.target.port)) as server:
                while True:
                    ready, _, _ = select.select([client, server], [], [], 0.5)
                    for side, other in ((client, server), (server, client)):
                        if side in ready:
                            try:
                                data = side.recv(65536)
                            except OSError:
                                return
                            if not data:
                                return
                            other.sendall(data)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def proxy_at(host: str, certificate: Certificate, redis: Proxied) -> Iterator[TlsProxy]:
    proxy = TlsProxy(certificate, host, redis.address)
    yield proxy
    proxy.close()


@pytest.fixture
def proxy(certificate: Certificate, redis: Proxied) -> Iterator[TlsProxy]:
    yield from proxy_at("127.0.0.1", certificate, redis)


def ping(address: Address, **part: object) -> None:
    client = RedisProxy(
        model.Redis(tls=True, timeout_seconds=2.0, **part),  # type: ignore[arg-type]
        address,
        Secret(TOKEN),
    )
    try:
        client.ping()
    finally:
        client.close()


def test_trusted(proxy: TlsProxy, certificate: Certificate) -> None:
    ping(proxy.address, ca_file=str(certificate.authority))
    part = model.Redis(tls=True, ca_file=str(certificate.authority))
    assert probe(proxy.address, part).redis


def test_authority_that_is_not_trusted(proxy: TlsProxy) -> None:
    with pytest.raises(Unreachable, match="is not trusted") as problem:
        ping(proxy.address)
    assert "redis.ca_file" in problem.value.hint


def test_name_that_is_not_the_addresss(proxy: TlsProxy, certificate: Certificate) -> None:
    ping(proxy.address, ca_file=str(certificate.authority), server_name="localhost")
    with pytest.raises(Unreachable, match="is not trusted") as problem:
        ping(proxy.address, ca_file=str(certificate.authority), server_name="redis.example")
    assert "redis.server_name" in problem.value.hint


def test_plain_client_to_a_tls_port(proxy: TlsProxy) -> None:
    client = RedisProxy(model.Redis(timeout_seconds=2.0), proxy.address, Secret(TOKEN))
    with pytest.raises(Unreachable, match=r"TLS|dropped|speak") as problem:
        client.ping()
    assert "redis.tls = true" in problem.value.hint
    client.close()
