"""What systems that are asked over HTTP have in common: a checked address, the certificates of `ca_file`, a pool of
connections, a token that is read once, and why there was no answer. What an answer means, each system says itself."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from toolkit.errors import ConfigurationError
from toolkit.secret import scrub

if TYPE_CHECKING:
    import ssl

    import urllib3

    from toolkit.secret import Secret

_CONNECT_SECONDS: Final = 5.0
_LONGEST: Final = 300  # characters of a reason
_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")


def checked(address: str, setting: str, *, hint: str, confidential: bool = False) -> SplitResult:
    """`address` as a URL with a host, and without a user or a password: https, or http, which is taken for this machine
    alone where what is sent is `confidential`.

    Raises ConfigurationError, which names the `setting`.
    """
    try:
        url = urlsplit(address.strip())
        host, _port = url.hostname, url.port
    except ValueError:
        host, url = None, urlsplit("")
    plain = url.scheme == "http" and (not confidential or host in _THIS_MACHINE)
    if not host or url.username or url.password or not (url.scheme == "https" or plain):
        kind = "https" if confidential else "http or https"
        raise ConfigurationError(f"{setting} is no {kind} URL that may stand there.", hint=hint)
    return url


def certificates(address: str, ca_file: str, part: str, system: str) -> ssl.SSLContext | None:
    """Whom to trust at `address`: the authorities in `ca_file`, else the machine's; None where it is no https URL.

    Raises ConfigurationError, which names the `part` of the environment whose `ca_file` it is, and the `system`.
    """
    import ssl

    if not address.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=Path(ca_file).expanduser() if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"{part}.ca_file is {ca_file!r}, which cannot be read as certificates: {error}.",
            hint=f"It must be a PEM file with the certificate of the authority that signed {system}'s.",
        ) from error


def timeout(seconds: float) -> urllib3.Timeout:
    """`seconds` for an answer, and fewer for a connection: a server that is there takes it at once."""
    import urllib3

    return urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), read=seconds)


class Pool:
    """Connections, opened when they are first needed and anew after `close`. `trust` gives the TLS context.
    Thread-safe."""

    def __init__(self, seconds: float, trust: Callable[[], ssl.SSLContext | None]) -> None:
        self._seconds = seconds
        self._trust = trust
        self._lock = threading.Lock()
        self._opened: urllib3.PoolManager | None = None

    def opened(self) -> urllib3.PoolManager:
        """Nothing is tried again by itself. Raises what `trust` raises."""
        import urllib3

        with self._lock:
            if self._opened is None:
                self._opened = urllib3.PoolManager(
                    timeout=timeout(self._seconds), retries=False, ssl_context=self._trust()
                )
            return self._opened

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.clear()
                self._opened = None


class Token:
    """A token that `read` gives when it is first needed, and anew once it was forgotten. Thread-safe."""

    def __init__(self, read: Callable[[], Secret]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known: Secret | None = None

    def known(self) -> Secret:
        with self._lock:
            if self._known is not None:
                return self._known
        found = self._read()  # not under the lock: it may ask Vault
        with self._lock:
            self._known = found
        return found

    def forget(self) -> None:
        with self._lock:
            self._known = None


def curl(url: str, ca_file: str, token_by_hand: str, kind: str = "Bearer") -> str:
    """The `curl` that asks the same, with what `token_by_hand` prints by a pipe: a header on the command line could be
    read by others."""
    words = ["curl", "-sS", *(["--cacert", ca_file] if ca_file else [])]
    if not token_by_hand:
        return shlex.join([*words, url])
    return f"{token_by_hand} | sed 's/^/Authorization: {kind} /' | {shlex.join([*words, '-H', '@-', url])}"


def redirected_to(headers: Mapping[str, str]) -> str:
    """The host that a redirect names, for people."""
    try:
        return urlsplit(headers.get("Location", "")).hostname or "another address"
    except ValueError:
        return "another address"


def is_untrusted(error: Exception) -> bool:
    """Whether there was no answer because of the server's certificate."""
    import urllib3

    return isinstance(error, urllib3.exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(error)


def is_late(error: Exception) -> bool:
    """Whether there was no answer in time. A refused connection is a kind of timeout to urllib3, and none here."""
    import urllib3

    late, refused = urllib3.exceptions.TimeoutError, urllib3.exceptions.NewConnectionError
    return isinstance(error, late) and not isinstance(error, refused)


def reason(error: BaseException) -> str:
    """The innermost cause, in the system's words, on one line."""
    seen = error
    for _ in range(10):
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException) or inner is seen:
            break
        seen = inner
    text = getattr(seen, "verify_message", "") or getattr(seen, "strerror", "") or str(seen) or type(seen).__name__
    return " ".join(scrub(str(text)).split()).rstrip(".")[:_LONGEST]
