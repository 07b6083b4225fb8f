"""Why Vault said 403: the token is over, a policy lacks a path, or the path is the other KV version's.

Vault itself says only "permission denied"; here the token is looked up and its capabilities are asked for, so that
the engineer hears which of the three it is, and the policy line to ask for.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import NotAllowed

if TYPE_CHECKING:
    from toolkit.systems.vault.server import Server

LOG_IN = "Log in again: `toolkit vault login`."


@dataclass(frozen=True)
class Place:
    """A secret, and its API path in either KV version."""

    mount: str
    path: str

    def api(self, version: int) -> str:
        """The path that a policy has to name: KV version 2 has `data/` after the mount."""
        return f"{self.mount}/data/{self.path}" if version == 2 else f"{self.mount}/{self.path}"

    def __str__(self) -> str:
        return f"{self.mount}/{self.path}"


def token_over(server: Server, source: str, *, sure: bool, over_since: str = "") -> NotAllowed:
    """The token that `source` holds is refused. `sure`: Vault said so, rather than just denying a look at it."""
    namespace = f" in namespace {server.namespace}" if server.namespace else ""
    if over_since:
        message = f"The Vault token from {source} expired at {over_since}."
    elif sure:
        message = f"The Vault token from {source} is not valid at {server.address}{namespace}: expired or revoked."
    else:
        message = (
            f"{server} says no to the token from {source}: it expired, was revoked, or may not even look at itself."
        )
    hint = LOG_IN
    if source == "VAULT_TOKEN":
        hint = "Unset VAULT_TOKEN (it hides any other token), then log in: `toolkit vault login`."
    if server.namespace:
        hint += f" Or the token is from another namespace than {server.namespace}."
    return NotAllowed(message, hint=hint, by_hand=(server.by_hand("token lookup"),))


def explain(
    server: Server,
    place: Place,
    version: int | None,
    *,
    policies: tuple[str, ...],
    capabilities: Mapping[str, tuple[str, ...]],
    configured: bool,
) -> NotAllowed:
    """A valid token that may not read `place`. `version` None: it could not be found out; `configured`: it was set."""
    held = ", ".join(policies) or "none"
    by_hand = (server.by_hand(f"token capabilities {shlex.quote(place.api(version or 2))}"),)
    other = 1 if version == 2 else 2
    if version is not None and may_read(capabilities, place.api(other)):
        if configured:
            return NotAllowed(
                f"{server} does not let this token read {place.api(version)}, the path in KV version {version}; "
                f"but it may read {place.api(other)}, the path in KV version {other}.",
                hint=f"vault.kv_version = {version} is probably wrong: set it to {other}, or to 0 to have it asked.",
                by_hand=by_hand,
            )
        return NotAllowed(
            f"{server} does not let this token read {place.api(version)}. One of its policies ({held}) names "
            f"{place.api(other)}, the path in KV version {other}; but the mount {place.mount} is version {version}.",
            hint=f"Ask for this policy line instead: {policy_line(place.api(version))}",
            by_hand=by_hand,
        )
    if version is None:
        return NotAllowed(
            f"{server} does not let this token read {place}, neither as KV version 2 ({place.api(2)}) nor as "
            f"version 1 ({place.api(1)}). Its policies: {held}.",
            hint=f"Check vault.mount and vault.path. If they are right, ask for: {policy_line(place.api(2))} "
            "(without data/ if the mount is KV version 1).",
            by_hand=by_hand,
        )
    return NotAllowed(
        f"{server} does not let this token read {place.api(version)}. The token is valid; its policies ({held}) "
        "do not allow it.",
        hint=f"Ask those who run Vault for this policy line: {policy_line(place.api(version))}",
        by_hand=by_hand,
    )


def policy_line(path: str) -> str:
    """The rule that lets a token read `path`, as a policy file has it."""
    return f'path "{path}" {{ capabilities = ["read"] }}'


def may_read(capabilities: Mapping[str, tuple[str, ...]], path: str) -> bool:
    """Do these capabilities let the token read `path`?"""
    return bool({"read", "root"} & set(capabilities.get(path, ())))
