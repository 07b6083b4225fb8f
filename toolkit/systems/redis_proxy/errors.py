"""What redis-py raises, said as the on-call engineer needs it: what failed, at which address, and the next step."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from toolkit.environments import model
from toolkit.errors import Failed, NotAllowed, TimedOut, ToolkitError, Unreachable
from toolkit.systems.redis_proxy.address import Address, by_hand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.secret import Secret

_MOVED = "Has the proxy moved? `toolkit redis address` shows what its Service says. Is your VPN up?"


class WrongType(Failed):
    """Keys that hold something other than what was asked for. `lengths` are those of the other keys."""

    def __init__(self, keys: Sequence[str], lengths: dict[str, int | None], by_hand: Sequence[str]) -> None:
        shown = ", ".join(map(repr, keys[:3])) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
        super().__init__(
            f"Redis holds no plain value under {shown}, but another kind of data (WRONGTYPE).",
            hint="A frame is a plain value. Does cache.frame_key match other keys too?",
            by_hand=by_hand,
        )
        self.keys = tuple(keys)
        self.lengths = lengths


class TokenRefused(NotAllowed):
    """Redis does not take the token that lies in Vault (WRONGPASS)."""


def passing(error: Exception) -> bool:
    """Whether a read may succeed when it is tried again at once: a lost connection, not a refusal of the token."""
    import redis

    if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
        return False
    if "CERTIFICATE_VERIFY_FAILED" in str(error) or isinstance(error.__context__, socket.gaierror):
        return False
    return isinstance(error, redis.ConnectionError)


def may_have_arrived(error: Exception) -> bool:
    """Whether the command may have reached the server before `error`: not where there was no connection at all."""
    return "connecting" not in str(error) and not isinstance(
        error.__context__, ConnectionRefusedError | socket.gaierror
    )


def explained(error: Exception, doing: str, part: model.Redis, address: Address, token: Secret) -> ToolkitError:
    """`error` as ours. `doing` completes "while …"."""
    import redis

    at = f"at {address}" + (f" ({address.note})" if address.note else "")
    ping = (by_hand(part, address, "ping"),)
    if isinstance(error, redis.TimeoutError):
        return _timed_out(error, doing, at, part, address)
    if isinstance(error, redis.AuthenticationError):
        return _unknown_token(error, at, part, token, ping)
    if isinstance(error, redis.exceptions.BusyLoadingError):
        return Unreachable(
            f"The Redis {at} is still loading its data (LOADING).", hint="Wait a minute and try again.", by_hand=ping
        )
    if isinstance(error, redis.ConnectionError):
        return _unreachable(error, doing, at, part, address)
    if isinstance(error, redis.ResponseError):
        return _refused(error, doing, at, part, address)
    return Unreachable(
        f"What answers {at} does not speak as a Redis does, while {doing}: {_short(error)}.",
        hint="Is it the proxy at all? " + ("" if part.tls else "Does it want TLS (redis.tls = true)? ") + _MOVED,
        by_hand=ping,
    )


def _timed_out(error: Exception, doing: str, at: str, part: model.Redis, address: Address) -> ToolkitError:
    nc = f"nc -vz {address.host} {address.port}"
    if "connecting" in str(error) and part.tls:
        return TimedOut(
            f"No TLS connection {at} within {part.timeout_seconds:g} s.",
            hint=f"redis.tls = true is configured; does this port speak TLS? {_MOVED}",
            by_hand=(nc, f"openssl s_client -connect {address.endpoint} </dev/null"),
        )
    if "connecting" in str(error):
        return TimedOut(
            f"Nothing takes a connection {at} within {part.timeout_seconds:g} s.", hint=_MOVED, by_hand=(nc,)
        )
    waited = f"{part.timeout_seconds:g} s"
    return TimedOut(
        f"The Redis proxy {at} took the connection and then said nothing for {waited}, while {doing}.",
        hint="The Redis behind the proxy is down or busy, or this address is no longer the proxy's: "
        "`toolkit redis address`. redis.timeout_seconds is how long is waited.",
        by_hand=(nc, by_hand(part, address, "ping")),
    )


def _unknown_token(error: Exception, at: str, part: model.Redis, token: Secret, ping: tuple[str, ...]) -> ToolkitError:
    user = f" for user {part.username!r}" if part.username else ""
    text = str(error).lower()
    if getattr(error, "status_code", None) == "NOAUTH" or "authentication required" in text:
        return NotAllowed(
            f"The Redis {at} wants a token, and was given none (NOAUTH).",
            hint="What lies in Vault under the configured path and field? `toolkit redis token`",
            by_hand=ping,
        )
    if "no password is set" in text or "without any password configured" in text:
        return NotAllowed(
            f"The Redis {at} asks for no token at all, so it is hardly the managed one.",
            hint="Does the address lead to the right Redis? `toolkit redis address`",
            by_hand=ping,
        )
    return TokenRefused(
        f"The Redis {at} does not take the token that lies in Vault{user} "
        f"(WRONGPASS; fingerprint {token.fingerprint()}).",
        hint="Was it rotated? Compare the fingerprint (`toolkit redis token`) with a colleague's, "
        "then ask the owners of the managed Redis to bring Vault up to date.",
        by_hand=ping,
    )


def _unreachable(error: Exception, doing: str, at: str, part: model.Redis, address: Address) -> ToolkitError:
    cause = error.__context__
    nc = (f"nc -vz {address.host} {address.port}",)
    text = str(error)
    if isinstance(cause, socket.gaierror):
        return Unreachable(f"The Redis proxy's host name {address.host!r} cannot be resolved.", hint=_MOVED, by_hand=nc)
    if isinstance(cause, ConnectionRefusedError):
        return Unreachable(f"The connection to the Redis proxy {at} is refused.", hint=_MOVED, by_hand=nc)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return Unreachable(
            f"The certificate of the Redis proxy {at} is not trusted: {_short(cause or error)}.",
            hint="redis.ca_file names the authority to trust, redis.server_name the name in the certificate.",
            by_hand=(f"openssl s_client -connect {address.endpoint} </dev/null",),
        )
    if "SSL" in text or "TLS" in text:
        return Unreachable(
            f"No TLS connection to the Redis proxy {at}: {_short(cause or error)}.",
            hint="redis.tls = true is configured; does this port speak TLS?",
            by_hand=(f"openssl s_client -connect {address.endpoint} </dev/null",),
        )
    if "max number of clients" in text:
        return Unreachable(
            f"The Redis {at} has as many clients as it takes.",
            hint="Who holds the connections? `client list` shows them.",
            by_hand=(by_hand(part, address, "client", "list"),),
        )
    if "closed by server" in text or isinstance(cause, ConnectionResetError | BrokenPipeError):
        return Unreachable(
            f"The Redis proxy {at} dropped the connection while {doing}.",
            hint="The proxy or the Redis behind it restarts, or cuts long replies. Try again; then look at the proxy's "
            "pods." + ("" if part.tls else " If it always does: does it want TLS (redis.tls = true)?"),
            by_hand=(by_hand(part, address, "ping"),),
        )
    return Unreachable(f"The Redis proxy {at} cannot be reached: {_short(error)}.", hint=_MOVED, by_hand=nc)


def _refused(error: Exception, doing: str, at: str, part: model.Redis, address: Address) -> ToolkitError:
    import redis

    text = str(error)
    info = (by_hand(part, address, "info"),)
    if isinstance(error, redis.exceptions.NoPermissionError):
        named = re.search(r"the '([^']+)' command", text)
        what = f"the command {named[1].upper()}" if named else _short(error)
        return NotAllowed(
            f"The Redis {at} does not allow this user {what} (NOPERM), while {doing}.",
            hint="Ask its owners to allow it in the user's ACL.",
            by_hand=(by_hand(part, address, "acl", "whoami"),),
        )
    if isinstance(error, redis.ReadOnlyError):
        return Failed(
            f"The Redis {at} is a read-only replica (READONLY), while {doing}.",
            hint="The address has to be the primary's: `toolkit redis address`. Or a failover is going on: wait.",
            by_hand=info,
        )
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return Failed(
            f"The Redis {at} is full (OOM), while {doing}.",
            hint="Make room first: `toolkit groups list` shows what is there, `toolkit groups delete` removes a group.",
            by_hand=(by_hand(part, address, "info", "memory"),),
        )
    if isinstance(error, redis.exceptions.AskError | redis.exceptions.ClusterError):
        return Unreachable(
            f"The Redis {at} is one node of a cluster, and sends elsewhere: {_short(error)}.",
            hint="The toolkit speaks to one Redis; configure the address of a proxy that knows the cluster.",
            by_hand=(by_hand(part, address, "cluster", "info"),),
        )
    unknown = re.search(r"unknown command [`'\"]?([^`'\",]+)", text, re.IGNORECASE)
    if unknown:
        return NotAllowed(
            f"The Redis {at} does not know the command {unknown[1].upper()}: it is disabled or renamed there.",
            hint=_WITHOUT.get(unknown[1].upper(), "A managed Redis may switch commands off; ask its owners."),
        )
    if text.startswith("WRONGTYPE"):
        return Failed(f"A key holds another kind of data than expected (WRONGTYPE), while {doing}.", by_hand=info)
    return Failed(f"The Redis {at} refuses, while {doing}: {_short(error)}.", by_hand=info)


_WITHOUT = {
    "FLUSHALL": "Delete the groups one by one instead: `toolkit groups delete G…`. Or have its owners flush it.",
    "UNLINK": "It is older than Redis 4, or UNLINK is switched off: ask its owners, or use `redis-cli del` by hand.",
    "SCAN": "Without SCAN only the configured frames (cache.frames) can be found.",
}


def _short(error: BaseException) -> str:
    """The error's own words on one line, without a closing full stop."""
    text = " ".join(str(error).split()) or type(error).__name__
    return (text[:200] + "…" if len(text) > 200 else text).rstrip(".")
