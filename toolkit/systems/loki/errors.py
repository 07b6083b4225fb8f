"""What Loki's refusals and silences mean, and the command that asks the same by hand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable, UsageError
from toolkit.secret import scrub
from toolkit.systems import web

_PASSING: Final = frozenset({500, 502, 503, 504})
_LONGEST: Final = 400  # characters of a server's own words


@dataclass(frozen=True, slots=True)
class Where:
    """Which Loki, and as whom. `token_by_hand` is the command that prints the token; "" where none is needed."""

    address: str
    tenant: str = ""
    username: str = ""
    ca_file: str = ""
    token_by_hand: str = ""

    def __str__(self) -> str:
        return f"Loki at {self.address}" + (f" (tenant {self.tenant})" if self.tenant else "")


class Passing(Exception):
    """A failure that may be over at the next try, after `after` seconds if the server said so; else raise `error`.

    `busy`: the server asks for patience, so that more tries are worth it.
    """

    def __init__(self, error: ToolkitError, after: float | None = None, *, busy: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after
        self.busy = busy


def by_hand(
    where: Where, query: str, since: int | None = None, until: int | None = None, *, follow: bool = False
) -> str:
    """`logcli query …`; the token reaches it by a variable, which a command in it fills."""
    words = ["logcli", "query", f"--addr={where.address}"]
    words += [f"--org-id={where.tenant}"] if where.tenant else []
    words += [f"--ca-cert={where.ca_file}"] if where.ca_file else []
    words += [f"--username={where.username}"] if where.username else []
    if follow:
        words += ["--tail"]
    else:
        words += [f"--from={rfc3339(since)}"] if since is not None else []
        words += [f"--to={rfc3339(until)}"] if until is not None else []
        words += ["--forward", "--limit=5000"]
    variable = "LOKI_PASSWORD" if where.username else "LOKI_BEARER_TOKEN"
    token = f'{variable}="$({where.token_by_hand})" ' if where.token_by_hand else ""
    return token + shlex.join([*words, query])


def rfc3339(nanoseconds: int) -> str:
    """In UTC with nanoseconds, as both servers take it."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def refused(code: int, headers: Mapping[str, str], body: bytes, where: Where, query: str) -> ToolkitError | Passing:
    """Any answer but 200."""
    words = _words(body, headers.get("Content-Type", ""))
    hand = (by_hand(where, query),)
    if code < 300:
        return nonsense("an answer that is none")
    if 300 <= code < 400:
        return Unreachable(
            f"{where} sends us on to {web.redirected_to(headers)} instead of answering: a login page, most likely.",
            hint="Is logs.loki.address the API's address? It may be behind a gateway that people log in to.",
        )
    if code == 400 and "parse error" in words:
        return UsageError(
            f"Loki does not understand the query {query!r}: {words}.",
            hint='It says line and column. LogQL begins with a selector: {namespace="…"} |= "…".',
            by_hand=hand,
        )
    if code in (400, 422):
        org = "no org id" in words
        hint = "Set logs.loki.tenant: this Loki keeps several tenants apart." if org else _hint_of(words)
        return Failed(f"{where} refuses the query: {words}.", hint=hint, by_hand=hand)
    if code == 401:
        hint = "Is logs.loki.tenant set? " if "no org id" in words else ""
        return NotAllowed(
            f"{where} does not know us (401): {words}.",
            hint=hint
            + "logs.loki.vault_path and vault_field say where its token lies"
            + ("." if where.token_by_hand else "; none is configured."),
            by_hand=hand,
        )
    if code == 403:
        return NotAllowed(
            f"{where} does not let us read there (403): {words}.",
            hint="Is logs.loki.tenant the right one? Else ask those who run Loki for the right to read it.",
            by_hand=hand,
        )
    if code == 404:
        return NotFound(
            f"{where} has no such API (404): {words}.",
            hint="logs.loki.address is what stands before /loki/api/v1/; is a path missing in it, or one too many?",
            by_hand=hand,
        )
    if code == 429:
        error = Unreachable(
            f"{where} asks us to slow down (429), and still did after several tries: {words}.",
            hint="Ask for a shorter time or a narrower selector, or wait a minute.",
            by_hand=hand,
        )
        return Passing(error, _retry_after(headers), busy=True)
    if code in _PASSING:
        hint = "Is it restarting? Try again in a minute; a query that takes it too long needs a narrower selector."
        error = Unreachable(f"{where} is in trouble ({code}): {words}.", hint=hint, by_hand=hand)
        return Passing(error, _retry_after(headers) if code == 503 else None)
    return Failed(f"{where} answers {code}: {words}.", by_hand=hand)


def broken(error: Exception, where: Where, query: str, seconds: float) -> ToolkitError:
    """A question without an answer."""
    hand = (by_hand(where, query),)
    if web.is_untrusted(error):
        return untrusted(error, where)
    if web.is_late(error):
        return TimedOut(
            f"{where} did not answer within {seconds:g} s.",
            hint="A shorter time or a narrower selector is quicker; logs.loki.timeout_seconds is how long is waited.",
            by_hand=hand,
        )
    return unreachable(error, where, hand)


def untrusted(error: BaseException, where: Where) -> ToolkitError:
    return Unreachable(
        f"{where} shows a certificate that is not trusted: {web.reason(error)}.",
        hint="logs.loki.ca_file names the authority that signed it.",
        by_hand=(f"openssl s_client -connect {urlsplit(where.address).netloc} </dev/null",),
    )


def unreachable(error: BaseException, where: Where, hand: tuple[str, ...]) -> ToolkitError:
    return Unreachable(
        f"{where} cannot be reached: {web.reason(error)}.",
        hint="Is your VPN up? Is logs.loki.address right?",
        by_hand=hand,
    )


def nonsense(what: str) -> ToolkitError:
    return Unreachable(
        f"What answers at logs.loki.address is no Loki: it sent {what}.",
        hint="Does a gateway or a login page stand before it? `toolkit env show` says what is configured.",
    )


def _words(body: bytes, kind: str) -> str:
    """What a refusal says, on one line."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    if "html" in kind or text[:1] == "<":
        return "with a web page, not with Loki's own words: a gateway stands before it"
    try:
        found = json.loads(text)
        text = str(found.get("message") or found.get("error") or "no explanation")
    except (ValueError, AttributeError):
        pass
    words = " ".join(scrub(text).split()).rstrip(".")
    return (words[:_LONGEST] + "…" if len(words) > _LONGEST else words) or "no explanation"


def _hint_of(words: str) -> str:
    if re.search(r"time range exceeds|query length|maximum of series|too many|max_query", words):
        return "Ask for a shorter time (--since, --until), or narrow the selector."
    return ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the header holds a number or a date."""
    text = headers.get("Retry-After", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
