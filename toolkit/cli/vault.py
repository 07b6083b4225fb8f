"""`toolkit vault login | status`: getting a Vault token, and what the one at hand is good for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from toolkit import figures
from toolkit.cli import diagnostics, options, output
from toolkit.cli.apps import command_group
from toolkit.cli.opening import opened
from toolkit.cli.output import Format
from toolkit.errors import ToolkitError, UsageError
from toolkit.secret import Secret

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.systems.vault import Reach, TokenStatus, Vault, VaultHealth
    from toolkit.systems.vault.login import Way
    from toolkit.systems.vault.oidc import Visit

app = command_group("Vault: login, status.")

Method = Literal["token", "userpass", "approle", "oidc", "kubernetes", "gcp"]
OIDC_PORT = 8250


@app.command("login")
def login(
    env: options.Env = None,
    form: options.Output = Format.TABLE,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="METHOD",
            help=f"{', '.join(get_args(Method))}; else vault.login.method of the environment.",
        ),
    ] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="Else vault.login.role.")] = None,
    mount: Annotated[
        str | None, typer.Option("--mount", metavar="PATH", help="Where the method is mounted; else vault.login.mount.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="userpass: whose password.")] = None,
    role_id: Annotated[
        str | None, typer.Option("--role-id", metavar="ID", envvar="VAULT_ROLE_ID", help="approle: the role_id.")
    ] = None,
    jwt_file: Annotated[
        str | None, typer.Option("--jwt-file", metavar="FILE", help="kubernetes, gcp: a file with the JWT.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", help="oidc: where the browser comes back to on this machine.")
    ] = OIDC_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="oidc: only print the address.")] = False,
) -> None:
    """Log in to Vault, and keep the token where the `vault` command would: its token helper, or ~/.vault-token.

    Passwords and tokens are asked for without echo, or read from stdin where that is piped; the secret_id of an
    AppRole may be in VAULT_SECRET_ID.
    """
    with opened(env) as connections:
        vault = connections.vault
        part = connections.environment.vault.login
        chosen = method or part.method
        if chosen not in get_args(Method):
            raise UsageError(f"There is no login method {chosen!r}.", hint=f"There are: {', '.join(get_args(Method))}.")
        way = _way(chosen, part, role, mount, user, role_id, jwt_file, port, no_browser)
        done = vault.login(way)
        name = connections.environment.name
    if done.note:
        diagnostics.warn(done.note)
    document = {
        "environment": name,
        "address": vault.server.address,
        "kept_in": done.kept_in,
        "note": done.note,
        "token": done.status,
    }
    _show(document, [("vault", str(vault.server)), *_token(done.status), ("kept in", done.kept_in)], form)


@app.command("status")
def status(env: options.Env = None, form: options.Output = Format.TABLE) -> None:
    """Is Vault there, how long is my token good for, and may it read the Redis access token?

    Reads no secret. Exit code 3 when Vault is unreachable or sealed, 4 when the token is not good enough.
    """
    with opened(env) as connections:
        vault = connections.vault
        health = vault.health()
        token: TokenStatus | None = None
        reach: Reach | None = None
        problem: ToolkitError | None = None
        try:
            token = vault.token_status()
            reach = vault.reach(token)
            problem = reach.problem
        except ToolkitError as error:
            problem = error
        name = connections.environment.name
    document = {
        "environment": name,
        "address": vault.server.address,
        "address_from": vault.server.source,
        "namespace": vault.server.namespace,
        "server": health,
        "token": token,
        "kv": reach.kv if reach else None,
        "reads": [
            {"path": path, "capabilities": list(held)} for path, held in (reach.capabilities if reach else {}).items()
        ],
        "by_hand": [vault.server.by_hand("status"), vault.server.by_hand("token lookup")],
    }
    _show(document, _status(vault, health, token, reach), form)
    if token is not None and token.note:
        diagnostics.warn(token.note)
    if problem is not None:
        raise problem


def _way(
    method: str,
    part: model.Login,
    role: str | None,
    mount: str | None,
    user: str | None,
    role_id: str | None,
    jwt_file: str | None,
    port: int,
    no_browser: bool,
) -> Way:
    """The login that was asked for, with the secrets that it needs. What the configuration says of `mount` and `role`
    is meant for its own method."""
    from toolkit.systems.desktop import open_browser
    from toolkit.systems.vault import login as vault_login
    from toolkit.systems.vault import oidc as vault_oidc

    own = method == part.method
    role = role or (part.role if own else "")
    mount = mount or (part.mount if own else "")
    match method:
        case "userpass":
            name = user or _user_name()
            return vault_login.UserPass(name, _secret(f"Password of {name} in Vault:"), mount)
        case "approle":
            secret_id = os.environ.get("VAULT_SECRET_ID")
            return vault_login.AppRole(role_id or "", Secret(secret_id) if secret_id else _secret("secret_id:"), mount)
        case "kubernetes":
            return vault_login.Kubernetes(role, jwt_file or "", mount)
        case "gcp":
            return vault_login.Gcp(role, jwt_file or "", mount)
        case "token":
            return vault_login.Pasted(_secret("Vault token:"))
    browser = (lambda _: False) if no_browser else open_browser
    return vault_oidc.Oidc(role, mount, port, open_browser=browser, tell=_visit)


def _visit(visit: Visit) -> None:
    where = "Your browser opens this address" if visit.opened else "Open this address in a browser"
    diagnostics.narrate(f"{where} to log in (Ctrl-C gives up):\n\n  {visit.url}\n")
    if visit.hint:
        diagnostics.narrate(visit.hint)


def _user_name() -> str:
    import getpass

    try:
        mine = getpass.getuser()
    except (OSError, KeyError):
        mine = ""
    if not diagnostics.can_ask():
        if mine:
            return mine
        raise UsageError("Who logs in?", hint="Add --user NAME.")
    return diagnostics.ask(f"User name in Vault [{mine}]:") or mine


def _secret(question: str) -> Secret:
    """Asked without echo; read from stdin where that is piped."""
    try:
        text = diagnostics.ask_secret(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        text = ""
    if not text:
        raise UsageError(f"Nothing was given for: {question.rstrip(':')}.", hint="Type it when asked, or pipe it in.")
    return Secret(text)


def _show(document: object, lines: list[tuple[str, str]], form: Format) -> None:
    if form is Format.PLAIN:
        for label, value in lines:
            output.text(f"{label}\t{value}")
    else:
        output.document(document, form, lambda: output.pairs(lines))


def _status(vault: Vault, health: VaultHealth, token: TokenStatus | None, reach: Reach | None) -> list[tuple[str, str]]:
    state = "never initialised" if not health.initialized else "SEALED" if health.sealed else "unsealed"
    if health.standby and not health.sealed:
        state += ", a standby node"
    lines = [
        ("vault", f"{vault.server.address} ({vault.server.source})"),
        ("state", f"{state}, version {health.version or 'unknown'}"),
    ]
    if vault.server.namespace:
        lines.append(("namespace", vault.server.namespace))
    if token is not None:
        lines += _token(token)
    if reach is not None:
        if reach.kv is not None:
            lines.append(("KV version", f"{reach.kv.version}, {reach.kv.how}"))
        lines += [("I may", f"{', '.join(held)}  {path}") for path, held in reach.capabilities.items()]
    return lines


def _token(token: TokenStatus) -> list[tuple[str, str]]:
    left = "never expires" if token.ttl_seconds is None else f"{figures.duration(token.ttl_seconds)} left"
    if token.expires_at is not None:
        left += f", until {token.expires_at:%Y-%m-%d %H:%M}Z"
    return [
        ("token", f"{token.display_name or '(no name)'}, from {token.source}"),
        ("time", left + (", renewable" if token.renewable else "")),
        ("policies", ", ".join(token.policies) or "none"),
    ]
