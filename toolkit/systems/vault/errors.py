"""What can go wrong on the way to Vault and back, said so that an engineer knows the next step.

hvac's and requests' exceptions carry the token, URLs with one-time codes, and whole response bodies. Nothing of them
is passed on but what is quoted here on purpose, and none is kept as a cause.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import ConfigurationError, Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub

if TYPE_CHECKING:
    from hvac.exceptions import VaultError

    from toolkit.systems.vault.server import Server

T = TypeVar("T")

_NETWORK = "Is your VPN up? `toolkit doctor` shows the first broken hop."
_OPERATORS = "Tell those who run Vault."


class Forbidden(NotAllowed):
    """Vault said 403. `invalid_token`: it said, too, that it does not know the token (newer Vaults do)."""

    invalid_token = False


class Missing(NotFound):
    """Vault said 404. `body` is the JSON it sent along: warnings, or the metadata of a deleted version."""

    body: dict[str, Any]


class Rejected(Failed):
    """Vault said 400. `reasons` are its own words."""

    reasons: tuple[str, ...] = ()


class Passing(Unreachable):
    """The connection broke, or something between here and Vault hiccuped: worth asking again."""


def asked(server: Server, doing: str, question: Callable[[], T]) -> T:
    """`question()`, with what hvac and requests raise while `doing` ("reading …") turned into our own errors.

    Raised outside the handlers, so that not even the context keeps the original.
    """
    import requests
    from hvac.exceptions import ParamValidationError, VaultError

    problem: ToolkitError
    try:
        return question()
    except ParamValidationError:
        problem = ConfigurationError(f"Vault's client refused a value while {doing}.")
    except VaultError as error:
        problem = answered(server, doing, error)
    except requests.RequestException as error:
        problem = unanswered(server, error)
    except (KeyError, TypeError, ValueError, AttributeError):
        problem = nonsense(server, doing)
    except OSError as error:
        problem = Unreachable(f"{server} cannot be reached: {error.strerror or type(error).__name__}.", hint=_NETWORK)
    raise problem


def nonsense(server: Server, doing: str) -> Unreachable:
    """The answer is not what a Vault answers."""
    return Unreachable(
        f"{server} answered something that is not Vault's while {doing}.",
        hint=f"Is {server.source} the address of a Vault, and not of a login page or a proxy in front of it?",
        by_hand=(server.by_hand("status"),),
    )


def answered(server: Server, doing: str, error: VaultError) -> ToolkitError:
    """An HTTP status that means failure."""
    from hvac import exceptions as hvac

    body = _body(error)
    said = tuple(str(reason) for reason in _list(body, "errors"))
    words = quoted(said)
    status_by_hand = (server.by_hand("status"),)
    if isinstance(error, hvac.InvalidRequest) and "HTTP request to an HTTPS server" in (error.text or ""):
        return ConfigurationError(
            f"{server} speaks TLS, and {server.source} says http.", hint=f"Write {server.source} with https://."
        )
    if body is None:
        return nonsense(server, doing)
    if isinstance(error, (hvac.Forbidden, hvac.Unauthorized)):
        denied = Forbidden(f"{server} says no while {doing}.")
        denied.invalid_token = any("invalid token" in reason or "bad token" in reason for reason in said)
        return denied
    if isinstance(error, hvac.InvalidPath):
        missing = Missing(f"{server} knows nothing there, while {doing}.")
        missing.body = body
        return missing
    if isinstance(error, hvac.VaultDown) and any("sealed" in reason for reason in said):
        return sealed(server)
    if isinstance(error, hvac.VaultNotInitialized):
        return uninitialized(server)
    if isinstance(error, hvac.InternalServerError) and any("active" in reason for reason in said):
        return Unreachable(
            f"{server} is a standby node, and no node of its cluster is active.",
            hint=f"{_OPERATORS} A new active node is usually elected within a minute.",
            by_hand=status_by_hand,
        )
    if isinstance(error, hvac.RateLimitExceeded):
        return Passing(f"{server} asks to slow down (429) while {doing}.", hint="Try again in a minute.")
    if isinstance(error, hvac.InvalidRequest):
        rejected = Rejected(f"{server} refused the request while {doing}{words}")
        rejected.reasons = said
        return rejected
    kind = Passing if isinstance(error, (hvac.BadGateway, hvac.VaultDown)) else Unreachable
    return kind(f"{server} failed while {doing}{words}", hint=_OPERATORS, by_hand=status_by_hand)


def quoted(reasons: tuple[str, ...]) -> str:
    """Vault's own words, on one line and not too long: `: words.`; or a full stop."""
    words = "; ".join(" ".join(reason.split()) for reason in reasons)
    return f": {scrub(words)[:300].rstrip('.')}." if words else "."


def sealed(server: Server) -> Unreachable:
    return Unreachable(
        f"{server} is sealed: it gives nothing out until somebody unseals it.",
        hint="Only the holders of its unseal keys can do that: tell those who run Vault. "
        "Meanwhile whatever needs the Redis token does not work.",
        by_hand=(server.by_hand("status"),),
    )


def uninitialized(server: Server) -> Unreachable:
    return Unreachable(
        f"{server} has never been initialised: it holds no secrets at all.",
        hint=f"Is {server.source} the right address? A new or restored Vault looks like this. {_OPERATORS}",
        by_hand=(server.by_hand("status"),),
    )


def unanswered(server: Server, error: Exception) -> ToolkitError:
    """No HTTP answer came: name, network, TLS, time."""
    import requests

    causes = tuple(_causes(error))
    by_hand = (server.by_hand("status"),)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None or isinstance(error, requests.exceptions.SSLError):
        return _tls(server, tls)
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return TimedOut(
            f"{server} did not answer in time.",
            hint=f"{_NETWORK} vault.timeout_seconds is how long is waited.",
            by_hand=by_hand,
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(
            f"The HTTP proxy in front of {server} did not let the request through.",
            hint="HTTPS_PROXY names that proxy; add Vault's host to NO_PROXY if it is reached directly.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Unreachable(
            f"{server} cannot be reached: no such host name.",
            hint=f"Check {server.source}. {_NETWORK}",
            by_hand=by_hand,
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Passing(
            f"{server} cannot be reached: the connection was refused.",
            hint=(
                "Nothing listens there. If this is the sandbox: `toolkit sandbox start`."
                if server.on_loopback
                else f"Nothing listens there: check {server.source}, or ask those who run Vault. {_NETWORK}"
            ),
            by_hand=by_hand,
        )
    if isinstance(error, requests.TooManyRedirects):
        return nonsense(server, "following its redirects")
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return Passing(
            f"{server} cannot be reached: the connection broke off before an answer came.",
            hint=_NETWORK,
            by_hand=by_hand,
        )
    return nonsense(server, "being asked")


def _tls(server: Server, error: ssl.SSLError | None) -> ToolkitError:
    reason = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"):
        return ConfigurationError(
            f"{server} does not speak TLS, and {server.source} says https.",
            hint=f"Is it the right port? If this Vault has no TLS, write {server.source} with http://.",
        )
    why = str(getattr(error, "verify_message", "") or "the TLS handshake failed").rstrip(".")
    lower = why.lower()
    if "hostname" in lower or "ip address" in lower:
        hint = f"The certificate is for another name: write {server.source} with the name that it is for."
    elif "expired" in lower or "not yet valid" in lower:
        hint = f"{_OPERATORS} Or this machine's clock is wrong: `toolkit doctor` compares it."
    elif server.ca_file:
        hint = f"Vault's certificate was not signed by the CA in {server.ca_file}: get the right CA certificate."
    else:
        hint = "Set vault.ca_file to the PEM file of the CA that signed it. (VAULT_SKIP_VERIFY is not honoured.)"
    return Unreachable(f"{server} cannot be trusted: {why}.", hint=hint, by_hand=(server.by_hand("status"),))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what is underneath: causes, urllib3's reasons, exceptions given as arguments."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        below = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting.extend(item for item in below if isinstance(item, BaseException))


def _body(error: VaultError) -> dict[str, Any] | None:
    """The JSON of a failed answer; None: it was not JSON, so not Vault's."""
    content = error.json
    if content is None and error.errors is not None:
        content = {"errors": error.errors}
    if content is None:
        try:
            content = json.loads(error.text or "")
        except ValueError:
            return None
    return content if isinstance(content, dict) else None


def _list(body: dict[str, Any] | None, key: str) -> list[Any]:
    value = (body or {}).get(key)
    return value if isinstance(value, list) else []
