"""Opens redis-py's client for the managed Redis: plain RESP2, so that nothing but AUTH precedes the first command.

No HELLO, no CLIENT SETINFO: a proxy may not pass them, an old server does not know them. redis-py's own retries are
off, since it would retry changes too; `RedisProxy` retries reads.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from toolkit.environments import model
from toolkit.systems.redis_proxy.address import Address, tls_context, tls_name

if TYPE_CHECKING:
    from redis import Redis

    from toolkit.secret import Secret

_READ_SIZE = 256 * 1024


def open_client(part: model.Redis, address: Address, token: Secret) -> Redis:
    """A client with a pool of its own. Nothing is connected yet. Raises ConfigurationError for a bad ca_file."""
    import redis
    from redis.backoff import NoBackoff
    from redis.credentials import CredentialProvider
    from redis.retry import Retry

    class Credentials(CredentialProvider):
        def get_credentials(self) -> tuple[str] | tuple[str, str]:
            return (part.username, token.reveal()) if part.username else (token.reveal(),)

    options: dict[str, Any] = {}
    if part.tls:
        context, name = tls_context(part), tls_name(part, address)

        class Encrypted(redis.Connection):
            """TLS to an address whose certificate may carry another name, which redis-py's own class cannot do."""

            def _connect(self) -> socket.socket:
                plain: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
                try:
                    return context.wrap_socket(plain, server_hostname=name)
                except BaseException:
                    plain.close()
                    raise

        options["connection_class"] = Encrypted
    pool = redis.ConnectionPool(
        host=address.host,
        port=address.port,
        credential_provider=Credentials() if token else None,
        socket_timeout=part.timeout_seconds,
        socket_connect_timeout=part.timeout_seconds,
        socket_read_size=_READ_SIZE,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        **options,
    )
    return redis.Redis.from_pool(pool)
