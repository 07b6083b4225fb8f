"""Where the Vault token of this workstation comes from, without any Vault."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ConfigurationError, Failed, NotAllowed
from toolkit.secret import Secret
from toolkit.systems.vault import token as vault_token
from toolkit.systems.vault.server import Server

SERVER = Server("https://vault.example.com:8200", "vault.address")


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "person"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    return directory


def keep(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def helper(person: Path, body: str) -> Path:
    path = person / "helper"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_variable_comes_first(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(person / ".vault-token", "hvs.file")
    keep(person / ".vault", f'token_helper = "{helper(person, "echo hvs.helper")}"')
    assert vault_token.find(SERVER).token.reveal() == "hvs.helper"
    monkeypatch.setenv("VAULT_TOKEN", " hvs.variable ")
    found = vault_token.find(SERVER)
    assert (found.token.reveal(), found.source) == ("hvs.variable", "VAULT_TOKEN")


def test_the_file_comes_last(person: Path) -> None:
    keep(person / ".vault-token", "hvs.file\n")
    found = vault_token.find(SERVER)
    assert (found.token.reveal(), found.source, found.note) == ("hvs.file", "~/.vault-token", "")


def test_an_own_token_file_excludes_all_others(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.variable")
    keep(person / ".vault-token", "hvs.file")
    own = Server(SERVER.address, SERVER.source, token_file=str(person / "own"))
    with pytest.raises(NotAllowed, match=r"~/own \(vault.token_file\) does not exist"):
        vault_token.find(own)
    keep(person / "own", "hvs.own")
    assert vault_token.find(own).token.reveal() == "hvs.own"
    assert not vault_token.hidden_by_variable(own)
    assert vault_token.hidden_by_variable(SERVER)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "is empty"), ("  \n", "is empty"), ("a token\n", "spaces or line breaks"), ("a\nb", "spaces or line breaks")],
)
def test_a_file_without_a_token(person: Path, text: str, says: str) -> None:
    keep(person / ".vault-token", text)
    with pytest.raises(NotAllowed, match=says) as caught:
        vault_token.find(SERVER)
    assert "toolkit vault login" in caught.value.hint


def test_a_folder_where_the_file_should_be(person: Path) -> None:
    (person / ".vault-token").mkdir()
    with pytest.raises(NotAllowed, match="cannot be read"):
        vault_token.find(SERVER)


def test_the_helper_hears_which_server_is_meant(person: Path) -> None:
    path = helper(person, 'echo "hvs.$(echo "$1 $VAULT_ADDR $VAULT_NAMESPACE" | tr -c "a-z0-9\\n" -)"')
    keep(person / ".vault", f'token_helper = "{path}"')
    found = vault_token.find(Server(SERVER.address, "vault.address", namespace="science"))
    assert found.token.reveal() == "hvs.get-https---vault-example-com-8200-science"
    assert found.source == "token helper ~/helper"


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        ("exit 0", NotAllowed, "holds no Vault token for https://vault.example.com:8200"),
        ("echo no such key >&2; exit 4", NotAllowed, "failed at `get` with exit status 4: no such key"),
        ("echo two words", NotAllowed, "spaces or line breaks"),
    ],
)
def test_a_helper_that_has_none(person: Path, body: str, error: type[Exception], says: str) -> None:
    keep(person / ".vault-token", "hvs.file")  # with a helper, this file is not looked at
    keep(person / ".vault", f'token_helper = "{helper(person, body)}"')
    with pytest.raises(error, match=says):
        vault_token.find(SERVER)


def test_a_helper_that_cannot_be_run(person: Path) -> None:
    keep(person / ".vault", f'token_helper = "{person / "nowhere"}"')
    with pytest.raises(ConfigurationError, match="does not exist"):
        vault_token.find(SERVER)
    keep(person / "helper", "no program")
    keep(person / ".vault", f'token_helper = "{person / "helper"}"')
    with pytest.raises(ConfigurationError, match="cannot be run"):
        vault_token.find(SERVER)


def test_another_configuration_file(person: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(person / "vault.hcl", f'token_helper = "{helper(person, "echo hvs.helper")}"')
    monkeypatch.setenv("VAULT_CONFIG_PATH", str(person / "vault.hcl"))
    assert vault_token.find(SERVER).token.reveal() == "hvs.helper"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ('token_helper = "/bin/x"', "/bin/x"),
        ('token_helper="/bin/x"\n', "/bin/x"),
        ('  "token_helper" = "/bin/x" # why', "/bin/x"),
        ('# token_helper = "/bin/old"\ntoken_helper = "/bin/x"', "/bin/x"),
        ('// token_helper = "/bin/old"', ""),
        ('/* token_helper = "/bin/old"\n*/ \n', ""),
        ('other = "token_helper = 1"\ntoken_helper = "/bin/x // y"', "/bin/x // y"),
        ('my_token_helper = "/bin/old"', ""),
        ('{"token_helper": "/bin/x"}', "/bin/x"),
        ('token_helper = ""', ""),
        ("token_helper = /bin/x", None),
        ("token_helper = true", None),
        ('token_helper = "open', None),
    ],
)
def test_the_helpers_line(text: str, value: str | None) -> None:
    assert vault_token.helper_setting(text) == value


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1))
def test_any_path_survives_quoting(path: str) -> None:
    quoted = json.dumps(path, ensure_ascii=False)
    assert vault_token.helper_setting(f"token_helper = {quoted}") == json.loads(quoted)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    vault_token.helper_setting(text)
    vault_token.helper_setting(f"token_helper = {text}")


def test_a_broken_configuration_is_named(person: Path) -> None:
    keep(person / ".vault", "token_helper = /bin/x")
    with pytest.raises(ConfigurationError, match=r"~/.vault has a token_helper that is not a quoted path"):
        vault_token.find(SERVER)
    (person / ".vault").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        vault_token.find(SERVER)


def test_a_kept_token_is_its_owners_alone_and_replaces_the_old_one(person: Path) -> None:
    path = person / ".vault-token"
    path.write_text("hvs.a-much-longer-old-token")
    path.chmod(0o644)
    assert vault_token.store(Secret("hvs.new"), SERVER) == "~/.vault-token"
    assert path.read_text() == "hvs.new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in person.iterdir()] == [".vault-token"]


def test_a_symbolic_link_stays_one(person: Path) -> None:
    (person / "elsewhere").mkdir()
    (person / ".vault-token").symlink_to(person / "elsewhere" / "token")
    vault_token.store(Secret("hvs.new"), SERVER)
    assert (person / ".vault-token").is_symlink()
    assert (person / "elsewhere" / "token").read_text() == "hvs.new"


def test_a_token_that_cannot_be_kept(person: Path) -> None:
    (person / "file").write_text("")
    own = Server(SERVER.address, SERVER.source, token_file=str(person / "file" / "token"))
    with pytest.raises(Failed, match="could not be kept in ~/file/token") as caught:
        vault_token.store(Secret("hvs.secret-token"), own)
    assert "hvs.secret-token" not in str(caught.value)
    assert [each.name for each in person.iterdir()] == ["file"]
