"""Whatever can go wrong between here and the bucket, told as one of ours, with the next step.

Google's client, its login library, requests and urllib3 each have exceptions of their own; all of them end here.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable

if TYPE_CHECKING:
    import requests

    from toolkit.environments.model import Bucket

LOGIN = "gcloud auth application-default login"
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the bucket: `doing` completes "Could not …", `permission` is what it takes in IAM."""

    doing: str
    permission: str
    by_hand: tuple[str, ...] = ()


def troubles() -> tuple[type[Exception], ...]:
    """Every exception that Google's client may raise for a reason outside this program."""
    import http.client

    import requests
    import urllib3
    from google.api_core import exceptions
    from google.auth import exceptions as auth
    from google.cloud.storage import exceptions as storage

    return (
        exceptions.GoogleAPIError,
        auth.GoogleAuthError,
        storage.InvalidResponse,
        storage.DataCorruption,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    )


def refused(response: requests.Response) -> Exception:
    """An answer that is no success, as Google's own libraries raise it."""
    from google.api_core import exceptions

    found: Exception = exceptions.from_http_response(response)
    return found


def passing(error: Exception) -> bool:
    """Whether the same question may be answered a moment later."""
    import requests
    from google.auth import exceptions as auth

    code = status(error)
    if code is not None:
        return code in _PASSING
    if isinstance(error, requests.exceptions.SSLError):
        return False
    if isinstance(error, auth.GoogleAuthError):
        return isinstance(error, auth.TransportError)
    return True


def status(error: Exception) -> int | None:
    """The HTTP status of an answer that was an error, None where there was no answer."""
    code = getattr(error, "code", None)
    if code is None:
        code = getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) else None


def translated(error: Exception, part: Bucket, question: Question) -> ToolkitError:
    """`error` as one of ours."""
    import requests
    import urllib3
    from google.auth import exceptions as auth
    from google.cloud.storage import exceptions as storage

    code = status(error)
    place = f"gs://{part.name}"
    if code is not None:
        return _answered(code, str(getattr(error, "message", "") or error), part, question)
    if isinstance(error, auth.TransportError):
        return Unreachable(
            f"Could not {question.doing}: Google's login service cannot be reached ({reason(error)}).",
            hint="Is there a network, and does it let you out to oauth2.googleapis.com? Is a proxy needed?",
        )
    if isinstance(error, auth.GoogleAuthError):
        return NotAllowed(
            f"Could not {question.doing}: your Google login is missing or has expired ({_first_line(error)}).",
            hint=f"Log in with `{LOGIN}`, then try again.",
            by_hand=(LOGIN, "gcloud auth application-default print-access-token >/dev/null && echo valid"),
        )
    if isinstance(error, storage.DataCorruption):
        return Failed(f"Could not {question.doing}: what arrived does not match its checksum.", hint="Try again.")
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return TimedOut(
            f"Could not {question.doing}: {_host(part)} did not answer within {part.timeout_seconds:g} s.",
            hint="Is your VPN up? bucket.timeout_seconds is how long it is waited for.",
            by_hand=question.by_hand,
        )
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"Could not {question.doing}: the certificate of {_host(part)} is not trusted ({reason(error)}).",
            hint="Behind a proxy that opens TLS, REQUESTS_CA_BUNDLE names the file with its certificate.",
        )
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return Unreachable(
            f"Could not {question.doing}: what answers at {_host(part)} is not Google's storage.",
            hint="Is a login page or a proxy in between?",
            by_hand=question.by_hand,
        )
    return Unreachable(
        f"Could not {question.doing} in {place}: {_host(part)} cannot be reached ({reason(error)}).",
        hint="Is there a network? `toolkit doctor` shows the first broken hop.",
        by_hand=question.by_hand,
    )


def _answered(code: int, message: str, part: Bucket, question: Question) -> ToolkitError:
    """An answer that was no success."""
    name, by_hand = part.name, question.by_hand
    describe = f"gcloud storage buckets describe {shlex.quote(f'gs://{name}')}"
    if code == HTTPStatus.NOT_FOUND and "No such object" in message:
        return NotFound(f"Could not {question.doing}: there is no such object in gs://{name}.", by_hand=by_hand)
    if code == HTTPStatus.NOT_FOUND:
        project = f" --project {part.project}" if part.project else ""
        return NotFound(
            f"Could not {question.doing}: there is no bucket called {name!r}, which is what bucket.name says.",
            hint="Correct bucket.name: `toolkit env show` says where its value came from.",
            by_hand=(describe, f"gcloud storage buckets list{project}"),
        )
    if code == HTTPStatus.UNAUTHORIZED:
        return NotAllowed(
            f"Could not {question.doing}: Google does not know who you are (401).",
            hint=f"Log in with `{LOGIN}`, then try again.",
            by_hand=(LOGIN,),
        )
    if code == HTTPStatus.FORBIDDEN:
        missing = permission_in(message) or question.permission
        return NotAllowed(
            f"Could not {question.doing}: you have not {missing} on gs://{name} (or there is no such bucket).",
            hint=f"Is bucket.name right, and are you logged in as yourself? Else ask for a role with {missing} on it.",
            by_hand=("gcloud auth list", describe),
        )
    if code == HTTPStatus.PRECONDITION_FAILED:
        return Failed(f"Could not {question.doing}: it was changed in between.", hint="Look again, and try again.")
    if code in _PASSING:
        meaning = "asks us to slow down" if code == HTTPStatus.TOO_MANY_REQUESTS else "is in trouble"
        return Unreachable(
            f"Could not {question.doing}: {_host(part)} {meaning}: it still answers {code} after several tries.",
            hint="Wait a minute and try again; https://status.cloud.google.com shows outages.",
            by_hand=by_hand,
        )
    return Failed(f"Could not {question.doing}: {_host(part)} answers {code} ({_short(message)}).", by_hand=by_hand)


def permission_in(message: str) -> str:
    """The permission that Google says is missing, "" where it does not say."""
    found = re.search(r"Permission '([\w.]+)' denied|does not have ([\w.]+) access", message)
    return (found[1] or found[2]) if found else ""


def reason(error: BaseException) -> str:
    """The innermost cause in few words: connection refused, name or service not known …"""
    seen: set[int] = set()
    here: BaseException | None = error
    deepest: BaseException = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        deepest = here
        inside = [getattr(here, "reason", None), *here.args[:2], here.__cause__, here.__context__]
        here = next((item for item in inside if isinstance(item, BaseException) and id(item) not in seen), None)
    text = deepest.strerror if isinstance(deepest, OSError) and deepest.strerror else str(deepest)
    return _short(text) or type(deepest).__name__


def _host(part: Bucket) -> str:
    return part.endpoint or "storage.googleapis.com"


def _first_line(error: Exception) -> str:
    return _short(str(error.args[0]) if error.args else str(error))


def _short(text: str) -> str:
    lines = text.strip().splitlines()
    line = lines[0] if lines else ""
    return line if len(line) <= 200 else line[:199] + "…"
