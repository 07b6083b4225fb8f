"""The sandbox's Vault, its auth methods: userpass, approle, kubernetes, gcp, and oidc with an identity provider.

The identity provider is one page that knows one person and sends the browser straight back. JWTs are the sandbox's
own (HS256, signed with a key of this process); a login with one is checked for signature, expiry, audience and subject.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from toolkit.sandbox.vault.kv import Answer, Body
from toolkit.sandbox.vault.policies import Token, Tokens

METHODS = ("userpass", "approle", "oidc", "kubernetes", "gcp")
CALLBACK = "http://localhost:8250/oidc/callback"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STATE_HOLDS = 600.0


@dataclass(frozen=True)
class Role:
    """What a login gives: policies and seconds to live. `subjects`: who may take it (empty: anyone)."""

    policies: tuple[str, ...]
    ttl: int = 8 * 3600
    subjects: tuple[str, ...] = ()
    redirects: tuple[str, ...] = (CALLBACK,)


@dataclass(frozen=True)
class _User:
    password: str
    role: Role


@dataclass(frozen=True)
class _AppRole:
    name: str
    secret_id: str
    role: Role


@dataclass(frozen=True)
class _State:
    mount: str
    role: str
    redirect: str
    nonce: str
    client_nonce: str
    made: float


class Logins:
    """Users and roles by mount, and what a login with them gives. `base` is the server's own URL."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._key = secrets.token_bytes(32)
        self.base = ""
        self.mounts: dict[str, str] = {method: method for method in METHODS}
        self.default_role: dict[str, str] = {}
        self.person = "on-call@sandbox.test"
        self.refuses = False
        self._users: dict[tuple[str, str], _User] = {}
        self._approles: dict[tuple[str, str], _AppRole] = {}
        self._roles: dict[tuple[str, str], Role] = {}
        self._states: dict[str, _State] = {}
        self._codes: dict[str, str] = {}

    def add_user(self, name: str, password: str, role: Role, mount: str = "userpass") -> None:
        self._users[mount, name] = _User(password, role)

    def add_approle(self, name: str, role: Role, mount: str = "approle") -> tuple[str, str]:
        """A role with its role_id and secret_id."""
        role_id, secret_id = str(uuid.uuid4()), str(uuid.uuid4())
        self._approles[mount, role_id] = _AppRole(name, secret_id, role)
        return role_id, secret_id

    def add_role(self, mount: str, name: str, role: Role) -> None:
        """A role of an oidc, kubernetes or gcp mount."""
        self._roles[mount, name] = role

    def jwt(self, subject: str, audience: str = "", ttl: float = 600) -> str:
        """A signed JWT as a service account would hold it."""
        header = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        claims = {"sub": subject, "aud": audience, "exp": int(time.time() + ttl)}
        signed = f"{header}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(hmac.digest(self._key, signed.encode(), 'sha256'))}"

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Body) -> Answer | None:
        """`path` is below `auth/`. None: no login lives there."""
        for mount, kind in self.mounts.items():
            if not path.startswith(f"{mount}/"):
                continue
            rest = path.removeprefix(f"{mount}/")
            writes = method in ("POST", "PUT")
            if kind == "userpass" and writes and rest.startswith("login/"):
                return self._userpass(mount, rest.removeprefix("login/"), body)
            if kind == "approle" and writes and rest == "login":
                return self._approle(mount, body)
            if kind in ("kubernetes", "gcp") and writes and rest == "login":
                return self._service_account(mount, kind, body)
            if kind == "oidc" and writes and rest == "oidc/auth_url":
                return self._auth_url(mount, body)
            if kind == "oidc" and method == "GET" and rest == "oidc/callback":
                return self._callback(mount, query)
        return None

    def authorize(self, query: Mapping[str, str]) -> str | None:
        """The identity provider's page: the address to which it sends the browser back, or None (a bad request)."""
        state = self._states.get(query.get("state", ""))
        if state is None or query.get("redirect_uri") != state.redirect:
            return None
        if self.refuses:
            back = {"error": "access_denied", "error_description": "The user is not assigned to this application."}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = query.get("nonce", "")
            back = {"code": code}
        return f"{state.redirect}?{urlencode({**back, 'state': query['state']})}"

    def _userpass(self, mount: str, name: str, body: Body) -> Answer:
        user = self._users.get((mount, name))
        if user is None or not hmac.compare_digest(user.password, str(body.get("password", ""))):
            return Answer(400, errors=("invalid username or password",))
        return self._logged_in(mount, user.role, f"{mount}-{name}", "login/" + name, {"username": name})

    def _approle(self, mount: str, body: Body) -> Answer:
        if not body.get("role_id"):
            return Answer(400, errors=("missing role_id",))
        found = self._approles.get((mount, str(body["role_id"])))
        if found is None or not hmac.compare_digest(found.secret_id, str(body.get("secret_id", ""))):
            return Answer(400, errors=("invalid role or secret ID",))
        return self._logged_in(mount, found.role, mount, "login", {"role_name": found.name})

    def _service_account(self, mount: str, kind: str, body: Body) -> Answer:
        name = str(body.get("role", ""))
        role = self._roles.get((mount, name))
        if role is None:
            return Answer(400, errors=(f'invalid role name "{name}"',))
        claims = self._claims(str(body.get("jwt", "")))
        if claims is None or (kind == "gcp" and claims.get("aud") != f"vault/{name}"):
            return Answer(403, errors=("permission denied",))
        subject = str(claims.get("sub"))
        if role.subjects and subject not in role.subjects:
            return Answer(403, errors=("service account name not authorized",))
        return self._logged_in(mount, role, f"{mount}-{subject}", "login", {"role": name})

    def _claims(self, jwt: str) -> dict[str, Any] | None:
        """The claims of a JWT that this process signed and that has not expired."""
        signed, _, signature = jwt.rpartition(".")
        expected = _encoded(hmac.digest(self._key, signed.encode(), "sha256"))
        if not hmac.compare_digest(signature, expected):
            return None
        try:
            claims = json.loads(_decoded(signed.partition(".")[2]))
        except (ValueError, binascii.Error):
            return None
        return claims if isinstance(claims, dict) and claims.get("exp", 0) > time.time() else None

    def _auth_url(self, mount: str, body: Body) -> Answer:
        name = str(body.get("role") or self.default_role.get(mount, ""))
        redirect = str(body.get("redirect_uri", ""))
        if not name or not redirect:
            return Answer(400, errors=(f"missing {'redirect_uri' if name else 'role'}",))
        role = self._roles.get((mount, name))
        if role is None:
            return Answer(400, errors=(f'role "{name}" could not be found',))
        if not any(_same_redirect(redirect, allowed) for allowed in role.redirects):
            return Answer(data={"auth_url": ""})
        state, nonce = secrets.token_hex(20), secrets.token_hex(20)
        self._states[state] = _State(mount, name, redirect, nonce, str(body.get("client_nonce", "")), time.time())
        asked = {
            "client_id": "sandbox-vault",
            "nonce": nonce,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": "openid",
            "state": state,
        }
        return Answer(data={"auth_url": f"{self.base}/identity-provider/authorize?{urlencode(asked)}"})

    def _callback(self, mount: str, query: Mapping[str, str]) -> Answer:
        state = self._states.pop(query.get("state", ""), None)
        if state is None or state.mount != mount or state.made + _STATE_HOLDS < time.time():
            return Answer(400, errors=("Vault login failed. Expired or missing OAuth state.",))
        if state.client_nonce and query.get("client_nonce") != state.client_nonce:
            return Answer(400, errors=("invalid client_nonce",))
        nonce = self._codes.pop(query.get("code", ""), None)
        if nonce is None:
            return Answer(400, errors=('Vault login failed. Error exchanging oidc code: "invalid_grant".',))
        if nonce != state.nonce:
            return Answer(400, errors=("Token verification failed. Invalid ID token nonce.",))
        role = self._roles[mount, state.role]
        return self._logged_in(mount, role, f"{mount}-{self.person}", "oidc/callback", {"role": state.role})

    def _logged_in(self, mount: str, role: Role, name: str, path: str, meta: Mapping[str, str]) -> Answer:
        token = self._tokens.issue(role.policies, role.ttl, display_name=name, path=f"auth/{mount}/{path}", meta=meta)
        return Answer(auth=auth_block(token))


def auth_block(token: Token) -> dict[str, Any]:
    """The `auth` of a response that hands out `token`."""
    return {
        "client_token": token.id,
        "accessor": token.accessor,
        "policies": list(token.policies),
        "token_policies": list(token.policies),
        "metadata": dict(token.meta) or None,
        "lease_duration": token.ttl,
        "renewable": token.renewable,
        "entity_id": "",
        "token_type": "service",
        "orphan": True,
        "mfa_requirement": None,
        "num_uses": 0,
    }


def _same_redirect(given: str, allowed: str) -> bool:
    """Loopback addresses may come with any port (RFC 8252, 7.3); all others must be equal."""
    one, other = urlsplit(given), urlsplit(allowed)
    if one.hostname in _LOOPBACK and one.hostname == other.hostname:
        return (one.scheme, one.path) == (other.scheme, other.path)
    return given == allowed


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
