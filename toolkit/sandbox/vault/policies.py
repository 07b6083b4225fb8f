"""Who may do what in the sandbox's Vault: policies, their path rules, and tokens with a time to live.

Rules are matched as Vault matches them: `+` stands for one segment, a `*` at the end for any rest, the most specific
rule that fits decides, the same rule in several policies adds up, and `deny` wins.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

Rules = Mapping[str, Iterable[str]]

DEFAULT_RULES: Rules = {
    "auth/token/lookup-self": ("read",),
    "auth/token/renew-self": ("update",),
    "auth/token/revoke-self": ("update",),
    "sys/capabilities-self": ("update",),
    "sys/internal/ui/resultant-acl": ("read",),
}


@dataclass(frozen=True)
class Token:
    """One token. `expires` is seconds since the epoch; None: never."""

    id: str
    accessor: str
    policies: tuple[str, ...]
    display_name: str
    path: str
    created: float
    ttl: int
    expires: float | None
    renewable: bool
    meta: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, now: float) -> dict[str, object]:
        """What `auth/token/lookup-self` says of it."""
        return {
            "accessor": self.accessor,
            "creation_time": int(self.created),
            "creation_ttl": self.ttl,
            "display_name": self.display_name,
            "entity_id": "",
            "expire_time": None if self.expires is None else timestamp(self.expires),
            "explicit_max_ttl": 0,
            "id": self.id,
            "issue_time": timestamp(self.created),
            "meta": dict(self.meta) or None,
            "num_uses": 0,
            "orphan": True,
            "path": self.path,
            "policies": list(self.policies),
            "renewable": self.renewable,
            "ttl": 0 if self.expires is None else max(0, int(self.expires - now)),
            "type": "service",
        }


def timestamp(seconds: float) -> str:
    """RFC 3339 with nanoseconds, as Vault writes times."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1e9):09d}Z"


class Tokens:
    """The tokens that were issued; an expired one is gone. `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def issue(
        self,
        policies: Iterable[str],
        ttl: int | None,
        *,
        display_name: str = "token",
        path: str = "auth/token/create",
        name: str = "",
        renewable: bool = True,
        meta: Mapping[str, str] | None = None,
    ) -> Token:
        """A new token; `ttl` in seconds, None for one that never expires. Every token but root's has `default`."""
        now = self._clock()
        names = sorted(set(policies))
        if names != ["root"] and "default" not in names:
            names.insert(0, "default")
        token = Token(
            id=name or "hvs." + secrets.token_urlsafe(24),
            accessor=secrets.token_urlsafe(18),
            policies=tuple(names),
            display_name=display_name,
            path=path,
            created=now,
            ttl=ttl or 0,
            expires=None if ttl is None else now + ttl,
            renewable=renewable and ttl is not None,
            meta=meta or {},
        )
        self._tokens[token.id] = token
        return token

    def find(self, token_id: str) -> Token | None:
        token = self._tokens.get(token_id)
        if token is None or (token.expires is not None and token.expires <= self._clock()):
            return None
        return token

    def renew(self, token: Token, increment: int) -> Token:
        renewed = replace(token, expires=self._clock() + (increment or token.ttl), ttl=increment or token.ttl)
        self._tokens[token.id] = renewed
        return renewed

    def expire(self, token_id: str) -> None:
        """Let the token's time be over, now."""
        if token_id in self._tokens:
            self._tokens[token_id] = replace(self._tokens[token_id], expires=self._clock() - 1)

    def revoke(self, token_id: str) -> None:
        self._tokens.pop(token_id, None)


class Policies:
    """Named sets of path rules. `root` may do everything and has none."""

    def __init__(self) -> None:
        self._policies: dict[str, dict[str, frozenset[str]]] = {}
        self.write("default", DEFAULT_RULES)

    def write(self, name: str, rules: Rules) -> None:
        self._policies[name] = {path: frozenset(capabilities) for path, capabilities in rules.items()}

    def capabilities(self, names: Iterable[str], path: str) -> tuple[str, ...]:
        """What the policies of these names allow at `path`, sorted: `("deny",)` for nothing, `("root",)` for all."""
        held = tuple(names)
        if "root" in held:
            return ("root",)
        fitting: dict[str, set[str]] = {}
        for name in held:
            for pattern, capabilities in self._policies.get(name, {}).items():
                if fits(pattern, path):
                    fitting.setdefault(pattern, set()).update(capabilities)
        if not fitting:
            return ("deny",)
        decisive = fitting[max(fitting, key=_specificity)]
        return ("deny",) if "deny" in decisive else tuple(sorted(decisive))

    def reaches(self, names: Iterable[str], mount: str) -> bool:
        """Is there any path under `mount` (with its slash) at which these policies allow something?"""
        held = tuple(names)
        if "root" in held:
            return True
        for name in held:
            for pattern, capabilities in self._policies.get(name, {}).items():
                if capabilities and "deny" not in capabilities and _leads_into(pattern, mount):
                    return True
        return False


def fits(pattern: str, path: str) -> bool:
    """Does the rule's `pattern` cover `path`?"""
    glob = pattern.endswith("*")
    wanted = pattern.removesuffix("*").split("/")
    given = path.split("/")
    if len(given) < len(wanted) or (len(given) > len(wanted) and not glob):
        return False
    for number, segment in enumerate(wanted):
        last = number == len(wanted) - 1
        if segment == "+":
            continue
        if last and glob:
            return given[number].startswith(segment)
        if segment != given[number]:
            return False
    return True


def _leads_into(pattern: str, mount: str) -> bool:
    """Can the rule's `pattern` cover any path below `mount`?"""
    into = mount.rstrip("/").split("/")
    wanted = pattern.split("/")
    for number, segment in enumerate(into):
        if number == len(wanted):
            return False
        if wanted[number].endswith("*") and number == len(wanted) - 1:
            return segment.startswith(wanted[number][:-1])
        if wanted[number] not in ("+", segment):
            return False
    return len(wanted) > len(into)


def _specificity(pattern: str) -> tuple[float, bool, int, int, str]:
    """Vault's order of rules: the larger, the more specific."""
    wildcards = [place for place in (pattern.find("+"), pattern.find("*")) if place >= 0]
    return (
        min(wildcards, default=float("inf")),
        not pattern.endswith("*"),
        -pattern.split("/").count("+"),
        len(pattern),
        pattern,
    )
