"""Requests to one cluster's API: bounded in time, reads tried again, and every refusal put into our words.

The client gives the connection and the credential; paths are written out instead of discovered, which saves
three round trips for each cluster and the cache file that discovery leaves in the common temporary folder.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.systems import web
from toolkit.systems.cluster.access import Access, kubectl, open_access

if TYPE_CHECKING:
    import urllib3

Object = dict[str, Any]
Query = Mapping[str, str | int | bool | None]

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
_TRIES: Final = 3
_ALL_TRIES_SECONDS: Final = 20.0
_CONTENT_TYPES: Final = {"POST": "application/json", "PATCH": "application/strategic-merge-patch+json"}
_PASSING: Final = frozenset({429, 500, 502, 503, 504})


class Forbidden(NotAllowed):
    """The cluster knows us, and says that we may not do this (403)."""


class Conflict(Failed):
    """There already is something of that name, or it has changed meanwhile (409)."""


class NotYet(Failed):
    """The cluster understood, and cannot do it now (400): a container that has not started has no log."""


class Api:
    """One cluster's API. Opened at the first request; thread-safe."""

    def __init__(self, name: str, part: model.Cluster) -> None:
        self.name = name
        self.part = part
        self._lock = threading.Lock()
        self._access: Access | None = None

    @property
    def address(self) -> str:
        return self._open().address

    def get(self, path: str, query: Query | None = None) -> Object:
        """The object or list at `path`; tried again where that may help. Raises NotFound, Forbidden, Unreachable …"""
        end = time.monotonic() + _ALL_TRIES_SECONDS
        for again in range(_TRIES):
            pause = 0.2 * 4**again
            try:
                return self._asked("GET", path, query)
            except _Passing as error:
                if again + 1 == _TRIES or time.monotonic() + pause > end:
                    raise error.error from error
            time.sleep(pause)
        raise AssertionError("unreachable")

    def create(self, path: str, body: Object, query: Query | None = None) -> Object:
        """Send a new object, once. The caller has checked a permit, or asks only (an access review)."""
        try:
            return self._asked("POST", path, query, body)
        except _Passing as error:
            raise error.error from error

    def patch(self, path: str, body: Object, query: Query | None = None) -> Object:
        """Send a strategic merge patch, once. The caller has checked a permit."""
        try:
            return self._asked("PATCH", path, query, body)
        except _Passing as error:
            raise error.error from error

    def stream(self, manager: urllib3.PoolManager, path: str, query: Query, silence: float) -> urllib3.BaseHTTPResponse:
        """An answer without an end, on a connection of `manager`; broken off after `silence` seconds without a byte."""
        import urllib3

        try:
            return self._sent("GET", path, query, None, urllib3.Timeout(connect=CONNECT_SECONDS, read=silence), manager)
        except _Passing as error:
            raise error.error from error

    def own_manager(self) -> urllib3.PoolManager:
        """A pool of connections apart from all others, so that a stream can be ended by ending its connection."""
        return self._open().client.own_pool()

    def close(self) -> None:
        with self._lock:
            if self._access is not None:
                self._access.client.close()
                self._access = None

    def _open(self, *, anew: bool = False) -> Access:
        with self._lock:
            if anew or (self._access is not None and _expires_soon(self._access)):
                if self._access is not None:
                    self._access.client.close()
                self._access = None
            if self._access is None:
                self._access = open_access(self.name, self.part)
            return self._access

    def _asked(self, method: str, path: str, query: Query | None, body: Object | None = None) -> Object:
        import urllib3

        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        response = self._sent(method, path, query, body, timeout)
        try:
            found = json.loads(response.data)
        except ValueError:
            raise self._nonsense(response) from None
        except urllib3.exceptions.HTTPError as error:
            raise _Passing(self._broken(error)) from error
        finally:
            response.release_conn()
        if not isinstance(found, dict):
            raise self._nonsense(response)
        return found

    def _sent(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Object | None,
        timeout: urllib3.Timeout,
        manager: urllib3.PoolManager | None = None,
        *,
        logged_in_anew: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """The answer with its body still to be read; anything but 2xx raises."""
        import urllib3

        access = self._open()
        headers = {"Accept": "application/json", "User-Agent": "mapapp-toolkit", **access.client.headers()}
        pool = manager or access.client.pool
        url = access.address + path + _encoded(query)
        try:
            response: urllib3.BaseHTTPResponse = pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers if body is None else {**headers, "Content-Type": _CONTENT_TYPES[method]},
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            if 200 <= response.status < 300:
                return response
            text = response.data
            response.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise self._untrusted(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise _Passing(self._broken(error)) from error
        if response.status == 401 and access.login and not logged_in_anew:
            self._open(anew=True)  # nothing was done: the login program is asked for a fresh credential, once
            return self._sent(method, path, query, body, timeout, manager, logged_in_anew=True)
        raise self._refused(response, text, access)

    # -- errors

    @property
    def _who(self) -> str:
        return f"Cluster {self.name} (context {self.part.context})"

    def _broken(self, error: Exception) -> Unreachable:
        address = self._access.address if self._access else "its address"
        hint = self._way_in() + f"`{kubectl(self.part, 'version')}` asks the same."
        if web.is_late(error):
            return TimedOut(f"{self._who} does not answer in time at {address}.", hint=hint)
        return Unreachable(f"{self._who} cannot be reached at {address}: {web.reason(error)}.", hint=hint)

    def _untrusted(self, error: Exception) -> ToolkitError:
        if "PEM" in web.reason(error):
            return ConfigurationError(
                f"{self._who} cannot be opened, its kubeconfig's client certificate is broken: {web.reason(error)}.",
                hint="Get its credentials anew, for GKE: gcloud container clusters get-credentials …",
                by_hand=(kubectl(self.part, "version"),),
            )
        address = self._access.address if self._access else ""
        return Unreachable(
            f"{self._who} shows a certificate at {address} that is not trusted: {web.reason(error)}.",
            hint="Get the cluster's credentials anew (gcloud container clusters get-credentials …); a rebuilt cluster "
            "has another certificate. " + self._way_in(),
        )

    def _nonsense(self, response: urllib3.BaseHTTPResponse) -> Unreachable:
        kind = response.headers.get("Content-Type", "something that is not JSON").partition(";")[0]
        return Unreachable(
            f"{self._who} answered with {kind} instead of Kubernetes' JSON: something stands before it.",
            hint=self._way_in() + "Are you logged in there?",
            by_hand=(kubectl(self.part, "version"),),
        )

    def _way_in(self) -> str:
        return (
            f"The way in is {self.part.way_in}; is your VPN or tunnel up? " if self.part.way_in else "Is your VPN up? "
        )

    def _refused(self, response: urllib3.BaseHTTPResponse, text: bytes, access: Access) -> ToolkitError | _Passing:
        code, message = response.status, _message(text)
        if 300 <= code < 400:
            target = web.redirected_to(response.headers)
            return Unreachable(
                f"{self._who} sends us on to {target} instead of answering: a login page, most likely.",
                hint=self._way_in() + "Log in there first.",
            )
        if code == 401:
            login = f" (from {access.login})" if access.login else ""
            return NotAllowed(
                f"{self._who} does not accept the credential{login}: it has expired, or it is of another cluster.",
                hint="Log in again: gcloud auth login, or gcloud container clusters get-credentials …",
                by_hand=(kubectl(self.part, "version"),),
            )
        if code == 403:
            return Forbidden(
                f"{self._who} says: {message}.",
                hint="Ask for that right in this namespace, or check that this is the cluster and namespace you mean.",
                by_hand=(kubectl(self.part, "auth", "can-i", "--list"),),
            )
        if code == 404:
            return NotFound(f"{self._who} says: {message}.")
        if code == 409:
            return Conflict(f"{self._who} says: {message}.")
        if code == 400:
            return NotYet(f"{self._who} says: {message}.")
        error = Unreachable(
            f"{self._who} answered {code}: {message}.", hint="Its API has a fault; try again in a minute."
        )
        return _Passing(error) if code in _PASSING else Failed(error.message)


class _Passing(Exception):
    """A failure that may be over at the next try; `error` is what to raise if not."""

    def __init__(self, error: Unreachable) -> None:
        super().__init__(error.message)
        self.error = error


def _encoded(query: Query | None) -> str:
    from urllib.parse import urlencode

    pairs = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in (query or {}).items()
        if value not in (None, "")
    }
    return "?" + urlencode(pairs) if pairs else ""


def _message(text: bytes) -> str:
    """What a Status object says; of anything else only that it is none (it may be a page of a proxy)."""
    try:
        found = json.loads(text)
        message = found["message"]
    except (ValueError, KeyError, TypeError):
        return "no explanation"
    return scrub(str(message)).rstrip(".")[:500]


def _expires_soon(access: Access) -> bool:
    until = access.expires_at
    return until is not None and until - timedelta(seconds=60) < datetime.now(UTC)
