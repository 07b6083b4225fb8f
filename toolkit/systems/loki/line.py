"""The line to one Loki: its address, what is sent along, and questions that are asked again where that may help."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from toolkit.errors import ConfigurationError, Interrupted, ToolkitError
from toolkit.systems import web
from toolkit.systems.interruption import SocketsInUse, ended_by
from toolkit.systems.loki.errors import Passing, Where, broken, refused

if TYPE_CHECKING:
    import ssl

    import urllib3

    from toolkit.environments import model
    from toolkit.secret import Secret

_TRIES: Final = 3
_TRIES_WHEN_BUSY: Final = 6
_MOST_WAITING: Final = 60.0  # seconds in all, for a Loki that asks us to come back later
_LONGEST_ANSWER: Final = 512 * 2**20

Ask = Callable[[str, Mapping[str, str], str], bytes]


class LokiLine:
    """Where a Loki is and how it is spoken to. Raises ConfigurationError for a part that names none."""

    def __init__(self, part: model.Loki, token: Callable[[], Secret] | None, token_by_hand: str) -> None:
        self.part = part
        self.where = Where(_checked(part.address), part.tenant, part.username, part.ca_file, token_by_hand)
        self._token = None if token is None else web.Token(token)

    @contextlib.contextmanager
    def opened(self, stop: threading.Event | None) -> Iterator[Ask]:
        """`ask(endpoint, parameters, query)` on connections of its own, until the end of the block."""
        sockets = SocketsInUse()
        pool = sockets.pool(timeout=web.timeout(self.part.timeout_seconds), ssl_context=self.tls(), retries=False)
        try:
            yield lambda endpoint, parameters, query: self._asked(pool, sockets, endpoint, parameters, query, stop)
        finally:
            pool.clear()

    def headers(self) -> dict[str, str]:
        """Who we are. Categorised labels: structured metadata comes beside a line, not among its stream's labels."""
        headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels", "User-Agent": "mapapp-toolkit"}
        if self.part.tenant:
            headers["X-Scope-OrgID"] = self.part.tenant
        token = None if self._token is None else self._token.known()
        if token is not None and self.part.username:
            both = f"{self.part.username}:{token.reveal()}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(both).decode()
        elif token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        return headers

    def tls(self) -> ssl.SSLContext | None:
        return web.certificates(self.where.address, self.part.ca_file, "logs.loki", "Loki")

    def close(self) -> None:
        if self._token is not None:
            self._token.forget()

    def _asked(
        self,
        pool: urllib3.PoolManager,
        sockets: SocketsInUse,
        endpoint: str,
        parameters: Mapping[str, str],
        query: str,
        stop: threading.Event | None,
    ) -> bytes:
        waited, again = 0.0, 0
        while True:
            try:
                with ended_by(stop, sockets.cut):
                    return self._once(pool, endpoint, parameters, query)
            except Passing as passing:
                if stop is not None and stop.is_set():
                    raise Interrupted("Stopped on request.") from None
                again += 1
                pause = passing.after if passing.after is not None else 0.25 * 3 ** (again - 1)
                if again == (_TRIES_WHEN_BUSY if passing.busy else _TRIES) or waited + pause > _MOST_WAITING:
                    raise passing.error from passing
            waited += pause
            if stop is None:
                time.sleep(pause)
            elif stop.wait(pause):
                raise Interrupted("Stopped on request.")

    def _once(self, pool: urllib3.PoolManager, endpoint: str, parameters: Mapping[str, str], query: str) -> bytes:
        import urllib3

        url = f"{self.where.address}/loki/api/v1/{endpoint}?{urlencode(parameters)}"
        try:
            response = pool.request("GET", url, headers=self.headers(), redirect=False, preload_content=False)
            body = response.read(_LONGEST_ANSWER, decode_content=True)
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise _passing(broken(error, self.where, query, self.part.timeout_seconds)) from error
        if response.status == 200:
            return body
        raise refused(response.status, response.headers, body, self.where, query)


def _passing(error: ToolkitError) -> Exception:
    """A broken connection may be whole at the next try; a certificate will not be trusted then either."""
    return error if "certificate" in error.message or isinstance(error, ConfigurationError) else Passing(error)


def _checked(address: str) -> str:
    if not address:
        raise ConfigurationError(
            "Where Loki is, is not configured: logs.loki.address is empty.",
            hint="Set it under [environments.NAME.logs.loki]; `toolkit config path` shows where.",
        )
    url = web.checked(
        address,
        "logs.loki.address",
        hint="Write it like https://loki.example.com, without a user, a password or the /loki/api/v1 behind it.",
    )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/loki/api/v1')}"
