"""The sandbox's Vault: an HTTP server that answers as HashiCorp Vault does, as far as the toolkit and hvac ask.

It knows health and seal status, sealing and unsealing, KV versions 1 and 2 at any mount, the preflight of
`sys/internal/ui/mounts`, capabilities, tokens (create, look up, renew, revoke, expire by the clock), policies and the
logins of vault/logins.py.

Left out: storage and encryption (all is in memory), leases, response wrapping, identity and MFA, auditing, every
other secrets engine, and the administration API (the methods of `VaultServer` stand in for it). Listing is answered
for `?list=true`, as the Vault CLI asks; aiohttp does not parse the verb LIST. Of Enterprise's namespaces there is
one: where `namespace` is set, every request but those for the server's status must name it.
"""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from toolkit.sandbox.vault.kv import NOTHING, Answer, Body, Engine, KvOne, KvTwo
from toolkit.sandbox.vault.logins import Logins, Role, auth_block
from toolkit.sandbox.vault.policies import Policies, Rules, Token, Tokens
from toolkit.sandbox.web_server import Door

VERSION = "1.17.6"
DENIED = Answer(403, errors=("permission denied",))
INVALID_TOKEN = Answer(403, errors=("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",))
UNSUPPORTED = Answer(405, errors=("1 error occurred:\n\t* unsupported operation\n\n",))
_STATUS = ("sys/health", "sys/seal-status", "sys/unseal", "sys/init", "sys/leader")


class VaultServer:
    """One Vault on loopback. All methods but `start` and `stop` are plain calls, made in the loop's own thread.

    `standby` and `initialized` are what the health endpoint says; `namespace` is the one in which everything lives;
    `mounts_hidden` refuses to say what is mounted, as a guarded Vault does.
    """

    def __init__(
        self,
        *,
        mounts: Mapping[str, int] | None = None,
        root_token: str = "",
        unseal_key: str = "sandbox-unseal-key",
        namespace: str = "",
    ) -> None:
        self.tokens = Tokens()
        self.policies = Policies()
        self.logins = Logins(self.tokens)
        self.root_token = self.tokens.issue(["root"], None, display_name="root", name=root_token).id
        self.unseal_key = unseal_key
        self.namespace = namespace
        self.sealed = False
        self.standby = False
        self.initialized = True
        self.mounts_hidden = False
        self.url = ""
        self.requests_seen = 0
        self._engines: dict[str, Engine] = {}
        for mount, version in (mounts or {"secret": 2}).items():
            self.enable_kv(mount, version)
        self._door = Door()

    async def start(self, port: int = 0, ssl_context: ssl.SSLContext | None = None) -> None:
        """Listen on 127.0.0.1; `url` says where."""
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.*}", self._handle)
        app.router.add_get("/identity-provider/authorize", self._authorize)
        self.url = await self._door.open(app, ssl_context, port)
        self.logins.base = self.url

    async def stop(self) -> None:
        await self._door.close()

    def seal(self) -> None:
        self.sealed = True

    def unseal(self) -> None:
        self.sealed = False

    def enable_kv(self, mount: str, version: int) -> None:
        """An empty KV engine of that version at `mount`, which may have several segments."""
        self._engines[mount.strip("/") + "/"] = KvTwo() if version == 2 else KvOne()

    def put_kv(self, mount: str, path: str, data: Mapping[str, Any]) -> None:
        """Write a secret (in version 2: a new version of it)."""
        self._engines[mount.strip("/") + "/"].put(path.strip("/"), data)

    def write_policy(self, name: str, rules: Rules) -> None:
        """`rules`: path with `+` and `*` to capabilities."""
        self.policies.write(name, rules)

    def create_token(self, policies: Iterable[str], ttl: int | None = 8 * 3600, display_name: str = "token") -> str:
        """A new token that lives `ttl` seconds (None: for ever)."""
        return self.tokens.issue(policies, ttl, display_name=display_name).id

    def expire_token(self, token: str) -> None:
        self.tokens.expire(token)

    def revoke_token(self, token: str) -> None:
        self.tokens.revoke(token)

    def add_user(self, name: str, password: str, policies: Iterable[str], ttl: int = 8 * 3600) -> None:
        """A person who may log in by userpass."""
        self.logins.add_user(name, password, Role(tuple(policies), ttl))

    async def _authorize(self, request: web.Request) -> web.Response:
        back = self.logins.authorize(request.query)
        if back is None:
            return web.Response(status=400, text="Unknown login: start it again from the terminal.\n")
        return web.Response(status=302, headers={"Location": back})

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests_seen += 1
        path = request.match_info["path"].strip("/")
        method = "LIST" if request.method == "GET" and request.query.get("list") == "true" else request.method
        try:
            body = json.loads(await request.read() or b"{}")
            if not isinstance(body, dict):
                raise TypeError
        except (ValueError, TypeError):
            return _response(Answer(400, errors=("failed to parse JSON input",)))
        if path in _STATUS:
            try:
                return self._status(method, path, request.query, body)
            except ValueError:
                return _response(Answer(400, errors=("bad value for a status code",)))
        if self.sealed or not self.initialized:
            return _response(Answer(503, errors=("Vault is sealed",)))
        if self.standby:
            return _response(Answer(500, errors=("local node not active but active cluster node not found",)))
        if self.namespace and request.headers.get("X-Vault-Namespace", "").strip("/") != self.namespace:
            return _response(INVALID_TOKEN if request.headers.get("X-Vault-Token") else DENIED)
        try:
            answer = self._answer(method, path, request.query, body, request.headers.get("X-Vault-Token", ""))
        except (ValueError, AttributeError, TypeError):
            answer = Answer(400, errors=("a field has a value of the wrong type",))
        return _response(answer)

    def _status(self, method: str, path: str, query: Mapping[str, str], body: Body) -> web.Response:
        """What answers without a token, sealed or not; bare JSON without the envelope."""
        if path == "sys/health":
            status = 200
            if not self.initialized:
                status = int(query.get("uninitcode", 501))
            elif self.sealed:
                status = int(query.get("sealedcode", 503))
            elif self.standby and query.get("standbyok") != "true":
                status = int(query.get("standbycode", 429))
            return _json(
                {
                    "initialized": self.initialized,
                    "sealed": self.sealed or not self.initialized,
                    "standby": self.standby or self.sealed or not self.initialized,
                    "performance_standby": False,
                    "replication_performance_mode": "disabled",
                    "replication_dr_mode": "disabled",
                    "server_time_utc": int(time.time()),
                    "version": VERSION,
                    "enterprise": bool(self.namespace),
                },
                status,
            )
        if path == "sys/unseal" and method in ("POST", "PUT") and not body.get("reset"):
            if body.get("key") != self.unseal_key:
                return _response(Answer(400, errors=("'key' must be a valid hex or base64 string",)))
            self.unseal()
        if path == "sys/init":
            return _json({"initialized": self.initialized})
        if path == "sys/leader":
            return _json({"ha_enabled": False, "is_self": not self.standby, "leader_address": self.url})
        return _json(
            {
                "type": "shamir",
                "initialized": self.initialized,
                "sealed": self.sealed or not self.initialized,
                "t": 1,
                "n": 1,
                "progress": 0,
                "nonce": "",
                "version": VERSION,
                "storage_type": "inmem",
            }
        )

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: Body, token_id: str) -> Answer:
        token = self.tokens.find(token_id)
        if path.startswith("sys/internal/ui/mounts/"):
            return self._preflight(path.removeprefix("sys/internal/ui/mounts/"), token)
        if path.startswith("auth/"):
            login = self.logins.answer(method, path.removeprefix("auth/"), query, body)
            if login is not None:
                return login
        if token is None:
            return INVALID_TOKEN if token_id else DENIED
        if path == "sys/internal/ui/mounts":
            return Answer(data={"auth": {}, "secret": self._mounts_for(token)})
        wanted = self._wanted(method, path)
        allowed = self.policies.capabilities(token.policies, path)
        if "root" not in allowed and (wanted not in allowed or (path == "sys/seal" and "sudo" not in allowed)):
            return Answer(403, errors=("1 error occurred:\n\t* permission denied\n\n",))
        if path.startswith("auth/token/"):
            return self._token(method, path.removeprefix("auth/token/"), body, token)
        if path == "sys/capabilities-self" and method in ("POST", "PUT"):
            return self._capabilities(body, token)
        if path == "sys/seal" and method in ("POST", "PUT"):
            self.seal()
            return NOTHING
        mount = self._mount(path)
        if mount is not None:
            return self._engines[mount].answer(method, path.removeprefix(mount), query, body)
        return Answer(404, errors=(f'no handler for route "{path}". route entry not found.',))

    def _wanted(self, method: str, path: str) -> str:
        """The capability that this request needs."""
        if method in ("POST", "PUT"):
            mount = self._mount(path)
            new = mount is not None and not self._engines[mount].has(path.removeprefix(mount))
            return "create" if new else "update"
        return {"GET": "read", "HEAD": "read", "LIST": "list", "DELETE": "delete", "PATCH": "patch"}.get(method, "deny")

    def _mount(self, path: str) -> str | None:
        fitting = [mount for mount in self._engines if f"{path}/".startswith(mount)]
        return max(fitting, key=len, default=None)

    def _preflight(self, path: str, token: Token | None) -> Answer:
        mount = self._mount(path)
        reached = token is not None and mount is not None and self.policies.reaches(token.policies, mount)
        if mount is None or not reached or self.mounts_hidden:
            asked = path.strip("/") + "/"
            return Answer(
                403,
                errors=(
                    "preflight capability check returned 403, please ensure client's policies grant access to path "
                    f'"{asked}"',
                ),
            )
        return Answer(data={**self._described(mount), "path": mount})

    def _mounts_for(self, token: Token) -> dict[str, Any]:
        return {
            mount: self._described(mount) for mount in self._engines if self.policies.reaches(token.policies, mount)
        }

    def _described(self, mount: str) -> dict[str, Any]:
        return {
            "accessor": f"kv_{uuid.uuid5(uuid.NAMESPACE_URL, mount).hex[:8]}",
            "config": {"default_lease_ttl": 0, "force_no_cache": False, "max_lease_ttl": 0},
            "description": "key/value secret storage",
            "external_entropy_access": False,
            "local": False,
            "options": {"version": str(self._engines[mount].version)},
            "seal_wrap": False,
            "type": "kv",
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, mount)),
        }

    def _capabilities(self, body: Body, token: Token) -> Answer:
        paths = body.get("paths") or body.get("path") or []
        asked = [paths] if isinstance(paths, str) else list(paths)
        if not asked:
            return Answer(400, errors=("paths must be supplied",))
        data: dict[str, Any] = {path: list(self.policies.capabilities(token.policies, path)) for path in asked}
        if len(asked) == 1:
            data["capabilities"] = data[asked[0]]
        return Answer(data=data)

    def _token(self, method: str, what: str, body: Body, token: Token) -> Answer:
        if what == "lookup-self" and method == "GET":
            return Answer(data=token.lookup(time.time()))
        if what == "renew-self":
            if not token.renewable:
                return Answer(400, errors=("lease is not renewable",))
            renewed = self.tokens.renew(token, _seconds(body.get("increment", 0)))
            return Answer(auth=auth_block(renewed))
        if what == "revoke-self":
            self.tokens.revoke(token.id)
            return NOTHING
        if what == "create":
            policies = [str(name) for name in body.get("policies") or token.policies]
            if "root" not in token.policies and not set(policies) <= {*token.policies, "default"}:
                return Answer(400, errors=("child policies must be subset of parent",))
            made = self.tokens.issue(
                policies,
                _seconds(body.get("ttl", 0)) or 32 * 24 * 3600,
                display_name=str(body.get("display_name", "token")),
            )
            return Answer(auth=auth_block(made))
        return UNSUPPORTED


def _seconds(value: object) -> int:
    """A duration as Vault takes it: 3600, "3600", "1h", "90m", "30s"."""
    text = str(value or 0)
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    return int(text[:-1]) * unit if unit else int(text)


def _response(answer: Answer) -> web.Response:
    if answer.status == 204:
        return web.Response(status=204)
    if answer.errors is not None:
        return _json({"errors": list(answer.errors)}, answer.status)
    content: dict[str, Any] = {
        "request_id": str(uuid.uuid4()),
        "lease_id": "",
        "renewable": False,
        "lease_duration": answer.lease_seconds,
        "data": answer.data,
        "wrap_info": None,
        "warnings": list(answer.warnings) or None,
        "auth": answer.auth,
    }
    return _json(content, answer.status)


def _json(content: object, status: int = 200) -> web.Response:
    """Vault's content type has no charset, and hvac compares it letter by letter."""
    return web.Response(body=json.dumps(content).encode(), status=status, content_type="application/json")
