"""What Okta's refusals and silences mean, and the command that asks the same by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.systems import web

_LONGEST: Final = 300  # characters of a server's own words


@dataclass(frozen=True, slots=True)
class Where:
    """Which Okta. `token_by_hand` is the command that prints its token."""

    address: str
    ca_file: str = ""
    token_by_hand: str = ""

    def __str__(self) -> str:
        return f"Okta at {self.address}"

    def by_hand(self, path: str) -> str:
        """The `curl` that asks for the same."""
        return web.curl(f"{self.address}{path}", self.ca_file, self.token_by_hand, "SSWS")


class Passing(Exception):
    """A failure that may be over at the next try, after `after` seconds if the server said so; else raise `error`."""

    def __init__(self, error: ToolkitError, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after


def refused(code: int, headers: Mapping[str, str], body: bytes, where: Where, path: str) -> ToolkitError | Passing:
    """Any answer but 200. Error documents are Okta's: errorCode (E0000011), errorSummary."""
    hand = (where.by_hand(path),)
    if 300 <= code < 400:
        return Unreachable(
            f"{where} sends us on to {web.redirected_to(headers)} instead of answering: a login page, most likely.",
            hint="Is okta.address the organisation's own address (https://example.okta.com)?",
        )
    error, words = _words(body)
    if not error and code < 500 and code != 429:
        return nonsense(where, f"{code} with {words}")
    said = f"{words} ({error or code})"
    if code == 401:
        return NotAllowed(
            f"{where} does not take the token: {said}.",
            hint="It was revoked, or has expired (30 days unused): ask Okta's administrators for a new one, and write "
            "it to Vault at okta.vault_path.",
            by_hand=hand,
        )
    if code == 403:
        return NotAllowed(
            f"{where} does not let the token read that: {said}.",
            hint="It has the rights of the administrator who made it: reading users and groups is needed "
            "(a read-only administrator).",
            by_hand=hand,
        )
    if code == 404:
        return NotFound(f"{where} has nothing there: {said}.", by_hand=hand)
    if code == 429:
        wait = _until_reset(headers)
        when = f" until {time.strftime('%H:%M:%SZ', time.gmtime(time.time() + wait))}" if wait is not None else ""
        return Passing(
            Unreachable(
                f"{where} asks us to slow down{when}: {said}.",
                hint="Its rate limit is shared by all who use it; ask again when that time is over.",
                by_hand=hand,
            ),
            wait,
        )
    if code >= 500:
        return Passing(
            Unreachable(f"{where} is in trouble: {said}.", hint="status.okta.com says whether others see it too.")
        )
    return Failed(f"{where} refuses the question: {said}.", by_hand=hand)


def broken(error: Exception, where: Where, path: str, seconds: float) -> ToolkitError | Passing:
    """A question without an answer."""
    hand = (where.by_hand(path),)
    if web.is_untrusted(error):
        return Unreachable(
            f"{where} shows a certificate that is not trusted: {web.reason(error)}.",
            hint="Something between here and Okta opens the connection; okta.ca_file names its authority.",
        )
    if web.is_late(error):
        return TimedOut(
            f"{where} did not answer within {seconds:g} s.",
            hint="status.okta.com says whether others see it too; okta.timeout_seconds is how long is waited.",
            by_hand=hand,
        )
    return Passing(
        Unreachable(
            f"{where} cannot be reached: {web.reason(error)}.",
            hint="Is your network up? Is okta.address right? status.okta.com says whether others see it too.",
            by_hand=hand,
        )
    )


def nonsense(where: Where, what: str) -> ToolkitError:
    return Unreachable(
        f"What answers as {where} is not Okta's API: it sent {what}.",
        hint="okta.address is the organisation's own address (https://example.okta.com), without -admin; "
        "does a gateway or a login page stand before it?",
    )


def _words(body: bytes) -> tuple[str, str]:
    """Okta's error code ("" where there is none) and what it says, on one line."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    try:
        found = json.loads(text)
        return str(found["errorCode"]), _short(str(found["errorSummary"]))
    except (ValueError, KeyError, TypeError):
        return "", "a web page" if text[:1] == "<" else "no error document of its own"


def _short(text: str) -> str:
    words = " ".join(scrub(text).split()).rstrip(".")
    return words[:_LONGEST] + "…" if len(words) > _LONGEST else words


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until X-Rate-Limit-Reset, which is in seconds since the epoch; clocks may differ by one."""
    try:
        return max(1.0, float(headers["X-Rate-Limit-Reset"]) - time.time() + 1)
    except (KeyError, ValueError):
        return None
