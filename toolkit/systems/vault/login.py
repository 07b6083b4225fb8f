"""The ways to log in to Vault. Each obtains a token; keeping it is `Vault.login`'s, asking for passwords the caller's.

`mount` is where the auth method is mounted (`vault login -path=…`); empty: at its own name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.errors import NotAllowed, UsageError
from toolkit.secret import Secret
from toolkit.systems.vault import jwt as vault_jwt
from toolkit.systems.vault.errors import quoted

if TYPE_CHECKING:
    import hvac

    from toolkit.systems.vault.server import Server


class Way(Protocol):
    """A way to log in: `obtain` gets a token from Vault; `refused` is the error when Vault says no."""

    @property
    def name(self) -> str: ...

    def obtain(self, client: hvac.Client, server: Server, /) -> Secret: ...

    def refused(self, server: Server, *reasons: str) -> NotAllowed: ...


@dataclass(frozen=True)
class Pasted:
    """A token that somebody already has. It is looked up before it is kept."""

    token: Secret
    name: str = field(default="token", init=False)

    def obtain(self, client: hvac.Client, _server: Server, /) -> Secret:
        text = self.token.reveal()
        if not text.isascii() or not text.isprintable() or " " in text or not text:
            raise UsageError("That is not a Vault token: it is empty, or has spaces or line breaks in it.")
        client.token = text
        client.auth.token.lookup_self()
        return self.token

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        del reasons
        return NotAllowed(f"{server} does not know this token: expired, revoked, or another Vault's.")


@dataclass(frozen=True)
class UserPass:
    """By user name and password."""

    username: str
    password: Secret
    mount: str = ""
    name: str = field(default="userpass", init=False)

    def obtain(self, client: hvac.Client, _server: Server, /) -> Secret:
        if not self.username or "/" in self.username:
            raise UsageError("A Vault user name is not empty and has no slash.", hint="Give it with --user NAME.")
        return _token(
            client.auth.userpass.login(
                self.username, self.password.reveal(), use_token=False, mount_point=self.mount or self.name
            )
        )

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        return _refused(server, f"userpass as {self.username}", self.mount or self.name, reasons)


@dataclass(frozen=True)
class AppRole:
    """By role_id and secret_id, for machines."""

    role_id: str
    secret_id: Secret
    mount: str = ""
    name: str = field(default="approle", init=False)

    def obtain(self, client: hvac.Client, _server: Server, /) -> Secret:
        if not self.role_id:
            raise UsageError("An AppRole login needs a role_id.", hint="Give it with --role-id, or in VAULT_ROLE_ID.")
        return _token(
            client.auth.approle.login(
                self.role_id, self.secret_id.reveal(), use_token=False, mount_point=self.mount or self.name
            )
        )

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        return _refused(server, "approle", self.mount or self.name, reasons)


@dataclass(frozen=True)
class Kubernetes:
    """By a pod's service account. `jwt_file` empty: where Kubernetes puts it."""

    role: str
    jwt_file: str = ""
    mount: str = ""
    name: str = field(default="kubernetes", init=False)

    def obtain(self, client: hvac.Client, _server: Server, /) -> Secret:
        _need_role(self.role, self.name)
        jwt = vault_jwt.from_file(self.jwt_file or vault_jwt.POD_FILE)
        return _token(
            client.auth.kubernetes.login(self.role, jwt.reveal(), use_token=False, mount_point=self.mount or self.name)
        )

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        return _refused(server, f"kubernetes with role {self.role}", self.mount or self.name, reasons)


@dataclass(frozen=True)
class Gcp:
    """By a Google service account. `jwt_file` empty: a JWT is made with this machine's Google credentials."""

    role: str
    jwt_file: str = ""
    mount: str = ""
    name: str = field(default="gcp", init=False)

    def obtain(self, client: hvac.Client, _server: Server, /) -> Secret:
        _need_role(self.role, self.name)
        jwt = vault_jwt.from_file(self.jwt_file) if self.jwt_file else vault_jwt.of_service_account(self.role)
        return _token(
            client.auth.gcp.login(self.role, jwt.reveal(), use_token=False, mount_point=self.mount or self.name)
        )

    def refused(self, server: Server, *reasons: str) -> NotAllowed:
        return _refused(server, f"gcp with role {self.role}", self.mount or self.name, reasons)


def _need_role(role: str, method: str) -> None:
    if not role:
        raise UsageError(
            f"A login by {method} needs a role.",
            hint="Give it with --role, or set vault.login.role of this environment.",
        )


def _token(answer: Any) -> Secret:
    """The token of a login's answer."""
    auth = answer["auth"]
    if not auth.get("client_token") and auth.get("mfa_requirement"):
        raise NotAllowed(
            "Vault asks for a second factor, which this login cannot give.",
            hint="Log in with `vault login`; the toolkit uses the token that it keeps.",
        )
    return Secret(str(auth["client_token"]))


def _refused(server: Server, how: str, mount: str, reasons: tuple[str, ...]) -> NotAllowed:
    hint = "Try again, or choose another way with --method."
    if any("denied" in reason or "mounted" in reason for reason in reasons):
        hint = f"Is the method enabled at auth/{mount} there (`--mount`), and may this identity use that role?"
    if server.namespace:
        hint += f" The namespace is {server.namespace}."
    return NotAllowed(f"{server} refused the login by {how}{quoted(reasons)}", hint=hint)
