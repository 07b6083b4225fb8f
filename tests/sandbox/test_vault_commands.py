"""`toolkit vault` and `toolkit redis token` as they are typed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from vault_fixtures import REDIS_TOKEN, RunningVault
from vault_fixtures import loop as loop
from vault_fixtures import person as person
from vault_fixtures import running as running

from toolkit.cli import redis_token
from toolkit.errors import ExitCode, ToolkitError
from toolkit.sandbox.vault.logins import Role


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Toolkit = Callable[..., Ran]


@pytest.fixture
def configured(running: RunningVault, home: Path) -> Callable[[str], None]:
    """Writes the configuration of one environment, `here`; the argument is added to its vault part."""

    def write(vault: str = "") -> None:
        file = home / "config" / "toolkit.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f'[environments.here]\ntitle = "Here"\n[environments.here.vault]\naddress = "{running.url}"\n{vault}'
        )

    write()
    return write


@pytest.fixture
def toolkit(
    configured: Callable[[str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Toolkit:
    def run(*arguments: str, stdin: str = "") -> Ran:
        from toolkit.__main__ import run as run_toolkit

        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run_toolkit(list(arguments))
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return run


@pytest.fixture
def token(configured: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> Toolkit:
    """`toolkit redis token`, by itself."""
    app = typer.Typer()
    app.command("token")(redis_token.token)

    def run(*arguments: str) -> Ran:
        from toolkit.cli import diagnostics

        capsys.readouterr()
        try:
            code = get_command(app).main(args=list(arguments), standalone_mode=False) or 0
        except ToolkitError as problem:
            diagnostics.error(problem)
            code = problem.exit_code
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return run


def test_status(toolkit: Toolkit, running: RunningVault) -> None:
    ran = toolkit("vault", "status")
    assert ran.code == 0
    for text in (running.url, "unsealed", "59m", "default, oncall", "~/.vault-token", "read  secret/data/phenoapp"):
        assert text in ran.out
    document = toolkit("vault", "status", "-o", "json").json()
    assert document["reads"] == [{"path": "secret/data/phenoapp/managed_redis", "capabilities": ["read"]}]
    assert document["kv"] == {"version": 2, "how": "asked (sys/internal/ui/mounts)"}
    assert 3500 < document["token"]["ttl_seconds"] <= 3600
    assert document["server"]["sealed"] is False
    assert "policies\tdefault, oncall" in toolkit("vault", "status", "-o", "plain").out


def test_status_of_a_sealed_vault(toolkit: Toolkit, running: RunningVault) -> None:
    running.do(lambda server: server.seal())
    ran = toolkit("vault", "status")
    assert ran.code == ExitCode.UNREACHABLE
    assert "SEALED" in ran.out
    assert "unseal keys" in ran.err


def test_status_without_a_token(toolkit: Toolkit, running: RunningVault) -> None:
    (running.home / ".vault-token").unlink()
    ran = toolkit("vault", "status", "-o", "json")
    assert ran.code == ExitCode.NOT_ALLOWED
    assert ran.json()["token"] is None
    assert "toolkit vault login" in ran.err


def test_status_with_a_token_that_may_not_read(toolkit: Toolkit, running: RunningVault) -> None:
    running.do(lambda server: server.write_policy("oncall", {"secret/metadata/*": ("list",)}))
    ran = toolkit("vault", "status")
    assert ran.code == ExitCode.NOT_ALLOWED
    assert "deny  secret/data/phenoapp/managed_redis" in ran.out
    assert 'path "secret/data/phenoapp/managed_redis" { capabilities = ["read"] }' in ran.err


def test_no_address(toolkit: Toolkit, configured: Callable[[str], None], home: Path) -> None:
    (home / "config" / "toolkit.toml").write_text('[environments.here]\ntitle = "Here"\n')
    ran = toolkit("vault", "status")
    assert ran.code == ExitCode.USAGE
    assert "vault.address" in ran.err


def test_login_by_password_from_a_pipe(toolkit: Toolkit, running: RunningVault) -> None:
    running.do(lambda server: server.add_user("ada", "correct horse", ["oncall"], 7200))
    ran = toolkit("vault", "login", "--method", "userpass", "--user", "ada", stdin="correct horse\n")
    assert ran.code == 0, ran.err
    assert "userpass-ada" in ran.out
    assert "~/.vault-token" in ran.out
    kept = (running.home / ".vault-token").read_text()
    assert kept not in ran.out + ran.err
    assert "correct horse" not in ran.out + ran.err
    assert toolkit("vault", "status").code == 0


@pytest.mark.parametrize("method", ["userpass", "approle", "token"])
def test_login_without_a_secret(toolkit: Toolkit, method: str) -> None:
    ran = toolkit("vault", "login", "--method", method)
    assert ran.code == ExitCode.USAGE
    assert "Nothing was given for" in ran.err


def test_login_by_app_role_from_the_environment(
    toolkit: Toolkit, running: RunningVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    role_id, secret_id = running.do(lambda server: server.logins.add_approle("reloader", Role(("oncall",))))
    monkeypatch.setenv("VAULT_ROLE_ID", role_id)
    monkeypatch.setenv("VAULT_SECRET_ID", secret_id)
    ran = toolkit("vault", "login", "--method", "approle", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json()["token"]["policies"] == ["default", "oncall"]
    assert secret_id not in ran.out + ran.err


def test_login_as_the_configuration_says(
    toolkit: Toolkit, configured: Callable[[str], None], running: RunningVault
) -> None:
    running.do(lambda server: server.logins.mounts.update(k8s="kubernetes"))
    running.do(lambda server: server.logins.add_role("k8s", "toolkit", Role(("oncall",))))
    jwt = running.home / "jwt"
    jwt.write_text(running.do(lambda server: server.logins.jwt("system:serviceaccount:ops:toolkit")))
    configured('[environments.here.vault.login]\nmethod = "kubernetes"\nmount = "k8s"\nrole = "toolkit"\n')
    ran = toolkit("vault", "login", "--jwt-file", str(jwt))
    assert ran.code == 0, ran.err


def test_login_with_a_wrong_method(toolkit: Toolkit) -> None:
    ran = toolkit("vault", "login", "--method", "ldap")
    assert ran.code == ExitCode.USAGE
    assert "userpass" in ran.err


def test_the_token_by_its_fingerprint(token: Toolkit) -> None:
    ran = token()
    assert ran.code == 0
    assert REDIS_TOKEN not in ran.out + ran.err
    assert "sha256:" in ran.out
    assert f"{len(REDIS_TOKEN)} characters" in ran.out
    document = token("-o", "json").json()
    assert document["path"] == "secret/data/phenoapp/managed_redis"
    assert (document["kv_version"], document["version"], document["length"]) == (2, 1, len(REDIS_TOKEN))


def test_the_token_revealed_alone(token: Toolkit) -> None:
    ran = token("--reveal")
    assert (ran.code, ran.out, ran.err) == (0, f"{REDIS_TOKEN}\n", "")


def test_the_token_copied(
    token: Toolkit, running: RunningVault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    tool = programs / "xclip"
    tool.write_text(f'#!/bin/sh\ncat > "{programs}/clipboard"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    ran = token("--copy")
    assert (ran.code, ran.out) == (0, "")
    assert "xclip" in ran.err
    assert REDIS_TOKEN not in ran.err
    assert (programs / "clipboard").read_text() == REDIS_TOKEN


def test_copy_and_reveal(token: Toolkit) -> None:
    assert token("--copy", "--reveal").code == ExitCode.USAGE


def test_the_token_of_a_sealed_vault(token: Toolkit, running: RunningVault) -> None:
    running.do(lambda server: server.seal())
    ran = token("--reveal")
    assert (ran.code, ran.out) == (ExitCode.UNREACHABLE, "")
