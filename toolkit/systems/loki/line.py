"""The line to one Loki: its address, what is sent along, and questions that are asked again where that may help."""

from __future__ import annotations

import base64
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from toolkit.errors import ConfigurationError, Interrupted, ToolkitError
from toolkit.systems.interruption import SocketsInUse, ended_by
from toolkit.systems.loki.errors import Passing, Where, broken, refused

if TYPE_CHECKING:
    import urllib3

    from toolkit.environments import model
    from toolkit.secret import Secret

CONNECT_SECONDS: Final = 5.0
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
        self._token_from = token
        self._token: Secret | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def opened(self, stop: threading.Event | None) -> Iterator[Ask]:
        """`ask(endpoint, parameters, query)` on connections of its own, until the end of the block."""
        import urllib3

        sockets = SocketsInUse()
        timeout = urllib3.Timeout(
            connect=min(CONNECT_SECONDS, self.part.timeout_seconds), read=self.part.timeout_seconds
        )
        pool = sockets.pool(timeout=timeout, ssl_context=self.tls(), retries=False)
        try:
            yield lambda endpoint, parameters, query: self._asked(pool, sockets, endpoint, parameters, query, stop)
        finally:
            pool.clear()

    def headers(self) -> dict[str, str]:
        """Who we are. Categorised labels: structured metadata comes beside a line, not among its stream's labels."""
        headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels", "User-Agent": "mapapp-toolkit"}
        if self.part.tenant:
            headers["X-Scope-OrgID"] = self.part.tenant
        token = self._known_token()
        if token is not None and self.part.username:
            both = f"{self.part.username}:{token.reveal()}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(both).decode()
        elif token is not None:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        return headers

    def tls(self) -> ssl.SSLContext | None:
        if not self.where.address.startswith("https:"):
            return None
        file = Path(self.part.ca_file).expanduser() if self.part.ca_file else None
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"logs.loki.ca_file is {self.part.ca_file!r}, which cannot be read as certificates: {error}.",
                hint="It must be a PEM file with the certificate of the authority that signed Loki's.",
            ) from error

    def close(self) -> None:
        with self._lock:
            self._token = None

    def _known_token(self) -> Secret | None:
        if self._token_from is None:
            return None
        with self._lock:
            if self._token is not None:
                return self._token
        token = self._token_from()  # not under the lock: it asks Vault
        with self._lock:
            self._token = token
        return token

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
    try:
        url = urlsplit(address.strip())
        host, _port = url.hostname, url.port
    except ValueError:
        host, url = None, urlsplit("")
    if url.scheme not in ("http", "https") or not host or url.username or url.password:
        raise ConfigurationError(
            "logs.loki.address is no http or https URL" + (" that may stand there" if host else "") + ".",
            hint="Write it like https://loki.example.com, without a user, a password or the /loki/api/v1 behind it.",
        )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/loki/api/v1')}"
