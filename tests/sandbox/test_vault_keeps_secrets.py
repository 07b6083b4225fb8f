"""Whatever goes wrong on the way to Vault: no secret is in the error, its traceback, or anything it drags along."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
from vault_fixtures import MOUNT, PATH, BadServer, RunningVault
from vault_fixtures import bad_server as bad_server
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running

from toolkit.errors import ToolkitError
from toolkit.secret import Secret
from toolkit.systems.vault import Vault
from toolkit.systems.vault.login import AppRole, Kubernetes, Pasted, UserPass
from toolkit.systems.vault.oidc import Oidc

VAULT_TOKEN, REDIS_TOKEN, PASSWORD = "hvs.vaulttoken7Kq", "redistoken8Zx", "password5Yw"
JWT = "header6Qa.claims6Qa.signature6Qa"

Break = Callable[[RunningVault], None]
Ask = Callable[[Vault], object]

BREAKS: dict[str, Break] = {
    "sealed": lambda running: running.do(lambda server: server.seal()),
    "standby": lambda running: running.do(lambda server: setattr(server, "standby", True)),
    "uninitialised": lambda running: running.do(lambda server: setattr(server, "initialized", False)),
    "revoked": lambda running: running.do(lambda server: server.revoke_token(VAULT_TOKEN)),
    "expired": lambda running: running.do(lambda server: server.expire_token(VAULT_TOKEN)),
    "denied": lambda running: running.do(lambda server: server.write_policy("oncall", {})),
    "namespace": lambda running: running.do(lambda server: setattr(server, "namespace", "elsewhere")),
    "no field": lambda running: running.do(lambda server: server.put_kv(MOUNT, PATH, {"other": REDIS_TOKEN})),
    "odd field": lambda running: running.do(lambda server: server.put_kv(MOUNT, PATH, {"token": [REDIS_TOKEN]})),
    "line break in token": lambda running: running.keep(f"{VAULT_TOKEN}\nsecond line"),
    "umlaut in token": lambda running: running.keep(f"{VAULT_TOKEN}ü"),
    "token helper fails": lambda running: token_helper(running, f"echo {VAULT_TOKEN}; echo failed >&2; exit 1"),
    "token helper babbles": lambda running: token_helper(running, f"echo your token is {VAULT_TOKEN}"),
    "token helper leaks": lambda running: token_helper(running, f"echo {VAULT_TOKEN} >&2; exit 1"),
}

ASKS: dict[str, Ask] = {
    "health": lambda vault: vault.health(),
    "token": lambda vault: vault.redis_secret(),
    "status": lambda vault: vault.token_status(),
    "kv": lambda vault: vault.kv(),
    "reach": lambda vault: vault.reach(vault.token_status()),
    "password": lambda vault: vault.login(UserPass("ada", Secret(PASSWORD))),
    "approle": lambda vault: vault.login(AppRole("role", Secret(PASSWORD))),
    "pasted": lambda vault: vault.login(Pasted(Secret(PASSWORD))),
    "odd pasted": lambda vault: vault.login(Pasted(Secret(f"{PASSWORD}\n"))),
    "kubernetes": lambda vault: vault.login(Kubernetes("role", str(jwt_of(vault)))),
    "oidc": lambda vault: vault.login(Oidc("role", port=0, timeout_seconds=0.1, open_browser=lambda _: False)),
}


@pytest.fixture(autouse=True)
def nothing_is_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has just started scrubs nothing: each text must be clean by itself."""
    monkeypatch.setattr("toolkit.secret._known", set())


def token_helper(running: RunningVault, body: str) -> None:
    path = running.home / "helper.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    (running.home / ".vault").write_text(f'token_helper = "{path}"\n')


def jwt_of(vault: Vault) -> Any:
    from pathlib import Path

    path = Path.home() / "jwt"
    path.write_text(JWT)
    return path


def everything(error: BaseException) -> str:
    """All that a report, a log or a debugger's post-mortem could show of an error, without its frames."""
    shown = ["".join(traceback.format_exception(error))]
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        shown += [repr(current), str(current), repr(current.args), repr(vars(current))]
        waiting += [current.__cause__, current.__context__]
    return "\n".join(shown)


def assert_silent(vault: Vault, ask: Ask) -> None:
    try:
        answer = ask(vault)
    except ToolkitError as error:
        shown = everything(error)
    else:
        shown = repr(answer)
    shown += repr(vault) + repr(vars(vault))
    for secret in (VAULT_TOKEN, REDIS_TOKEN, PASSWORD, JWT):
        assert secret not in shown


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("break_", ["nothing", *BREAKS])
def test_no_secret_in_any_error(running: RunningVault, break_: str, ask: str) -> None:
    running.do(lambda server: server.tokens.issue(["oncall"], 3600, name=VAULT_TOKEN))
    running.do(lambda server: server.put_kv(MOUNT, PATH, {"token": REDIS_TOKEN}))
    running.keep(VAULT_TOKEN)
    BREAKS.get(break_, lambda _: None)(running)
    assert_silent(running.vault(), ASKS[ask])


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nnull",
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
        + b'{"errors": ["x"]}',
        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + b'{"data": "odd"}',
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_no_secret_in_any_error_from_a_server_that_is_no_vault(
    running: RunningVault, bad_server: Callable[[bytes | None], BadServer], answer: bytes, ask: str
) -> None:
    running.keep(VAULT_TOKEN)
    assert_silent(running.vault(address=bad_server(answer).url, timeout_seconds=0.5), ASKS[ask])
