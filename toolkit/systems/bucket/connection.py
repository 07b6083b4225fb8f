"""The open line to one bucket: who we are, the session, and questions that are asked again where that may help.

Only reads are asked again here; what changes something decides for itself what may be repeated.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from toolkit.environments import model
from toolkit.errors import ConfigurationError
from toolkit.systems.bucket.errors import Question, passing, refused, translated, troubles

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import storage

T = TypeVar("T")

TRIES = 4
PAUSE = 0.2  # seconds, before the second try
_MOST_CONNECTIONS = 40
_CONNECT_SECONDS = 5.0
_ADDRESS = "https://storage.googleapis.com"
_MTLS_ADDRESS = "https://storage.mtls.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/devstorage.full_control",)


class StorageConnection:
    """The session and Google's client for the bucket of `part`; each opened when it is first used. Thread-safe."""

    def __init__(self, part: model.Bucket) -> None:
        if not part.name:
            raise ConfigurationError(
                "bucket.name is not configured for this environment.",
                hint="Add it under [environments.NAME.bucket]; `toolkit config path` shows where.",
            )
        if "/" in part.name:
            raise ConfigurationError(
                f"bucket.name is {part.name!r}, which is no bucket's name.",
                hint="Write the name alone, without gs://; a folder in it goes into bucket.prefix.",
            )
        if part.endpoint and not re.match(r"https?://[^/]", part.endpoint):
            raise ConfigurationError(
                f"bucket.endpoint is {part.endpoint!r}, which is no address.",
                hint="Write http://HOST:PORT for an emulator; for Google's own storage leave it out.",
            )
        self.part = part
        self.name = part.name
        self.timeout = (min(_CONNECT_SECONDS, part.timeout_seconds), part.timeout_seconds)
        self._lock = threading.Lock()
        self._session: AuthorizedSession | None = None
        self._client: storage.Client | None = None

    @property
    def session(self) -> AuthorizedSession:
        """The logged-in HTTP session. What lists and reads uses it alone: Google's client takes long to import."""
        with self._lock:
            if self._session is None:
                self._session = self._connect()
            return self._session

    @property
    def bucket(self) -> storage.Bucket:
        """The bucket as Google's client has it."""
        session = self.session
        with self._lock:
            if self._client is None:
                self._client = self._open_client(session)
            return self._client.bucket(self.name)

    @property
    def address(self) -> str:
        """Where the API is, without a slash at the end."""
        if self.part.endpoint:
            return self.part.endpoint.rstrip("/")
        return _MTLS_ADDRESS if self.session.is_mtls else _ADDRESS

    def get(self, path: str, query: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """The API's JSON at `path` (below /storage/v1). Raises what `ask` takes for a trouble."""
        import requests

        url = f"{self.address}/storage/v1/{path}"
        with self.session.get(url, params=query, timeout=self.timeout) as response:
            if not response.ok:
                raise refused(response)
            answer = response.json()
        if not isinstance(answer, dict):
            raise requests.exceptions.InvalidJSONError("an answer that is no object")
        return answer

    def ask(self, question: Question, call: Callable[[], T]) -> T:
        """call(), up to four times where the trouble may pass, within the part's timeout; raises ToolkitError."""
        end = time.monotonic() + self.part.timeout_seconds
        for attempt in range(1, TRIES + 1):
            try:
                return call()
            except troubles() as error:
                pause = backoff(attempt)
                if attempt == TRIES or not passing(error) or time.monotonic() + pause > end:
                    raise translated(error, self.part, question) from error
                time.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = self._client = None

    def _connect(self) -> AuthorizedSession:
        from google.auth.transport.requests import AuthorizedSession
        from requests.adapters import HTTPAdapter

        session: Any = AuthorizedSession(self._credentials())
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=_MOST_CONNECTIONS))
        if self.part.endpoint:
            # A proxy or netrc of this workstation has no business with an emulator on loopback.
            session.trust_env = urlsplit(self.part.endpoint).hostname not in ("127.0.0.1", "localhost", "::1")
        else:
            session.configure_mtls_channel()
        opened: AuthorizedSession = session
        return opened

    def _open_client(self, session: AuthorizedSession) -> storage.Client:
        from google.cloud import storage

        # Else the client asks for the bucket's metadata in a thread of its own, for traces that nobody takes.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        options = {"api_endpoint": self.part.endpoint} if self.part.endpoint else {}
        project = self.part.project or None
        return storage.Client(project, credentials=session.credentials, _http=session, client_options=options)

    def _credentials(self) -> Any:
        """Nobody for an emulator; else the user's Application Default Credentials. Raises NotAllowed without them."""
        from google.auth.credentials import AnonymousCredentials

        if self.part.endpoint:
            return AnonymousCredentials()
        if os.environ.get("STORAGE_EMULATOR_HOST"):
            raise ConfigurationError(
                "STORAGE_EMULATOR_HOST is set: Google's client would talk to that, not to this environment's bucket.",
                hint="Unset it; an emulator's address belongs into bucket.endpoint.",
            )
        import google.auth

        question = Question(f"log in to Google for gs://{self.name}", "")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that a user's own login has no quota project
                return google.auth.default(scopes=_SCOPES)[0]
        except troubles() as error:
            raise translated(error, self.part, question) from error


def backoff(attempt: int) -> float:
    """Seconds to wait after the attempt-th try: 0.2, 0.4, 0.8 …, less up to a half so that many do not come at once."""
    return float(PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))  # noqa: S311
