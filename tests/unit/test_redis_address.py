"""redis.address as people write it, and the commands that are shown for going there by hand."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from toolkit.environments import model
from toolkit.errors import ConfigurationError
from toolkit.systems.redis_proxy.address import Address, by_hand, configured_address, tls_context, token_by_hand


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("10.1.2.3:6380", "10.1.2.3:6380"),
        ("10.1.2.3", "10.1.2.3:7000"),
        (" redis.example:6379 ", "redis.example:6379"),
        ("redis-proxy", "redis-proxy:7000"),
        ("[::1]:6380", "[::1]:6380"),
        ("[fe80::1]", "[fe80::1]:7000"),
        ("fe80::1", "[fe80::1]:7000"),
    ],
)
def test_understood(written: str, endpoint: str) -> None:
    found = configured_address(model.Redis(address=written, port=7000))
    assert found is not None
    assert str(found) == found.endpoint == endpoint


def test_empty_is_looked_up() -> None:
    assert configured_address(model.Redis()) is None
    assert configured_address(model.Redis(address="  ")) is None


@pytest.mark.parametrize(
    "written",
    ["host:x", "host:", "host:0", "host:70000", ":6379", "[::1", "[::1]x", "a:b:c:1", "redis://host:6379", "a b:1",
     "user@host:1", "host:٣", "[host]:1:2", "host:6379/0"],
)  # fmt: skip
def test_refused_with_what_is_meant(written: str) -> None:
    with pytest.raises(ConfigurationError, match="is not host:port") as problem:
        configured_address(model.Redis(address=written))
    assert "10.1.2.3:6379" in problem.value.hint


def test_moved_address_says_so() -> None:
    old, new = Address("a", 1, "redis.address in the configuration"), Address("b", 2, "Service x/y in z")
    assert new.instead_of(old).note == "the configured a:1 no longer answers; Service x/y in z says b:2"


def test_by_hand() -> None:
    part = model.Redis(tls=True, ca_file="/etc/ca file.pem", server_name="redis.example", username="on-call")
    command = by_hand(part, Address("10.1.2.3", 6379, ""), "zrange", "available groups", "0", "-1")
    assert command == (
        "redis-cli -h 10.1.2.3 -p 6379 --tls --cacert '/etc/ca file.pem' --sni redis.example --user on-call "
        "zrange 'available groups' 0 -1"
    )


def test_token_by_hand_names_vault_where_it_is_known() -> None:
    assert token_by_hand(model.Vault()) == (
        'export REDISCLI_AUTH="$(vault kv get -field=token secret/phenoapp/managed_redis)"'
    )
    known = token_by_hand(model.Vault(address="https://vault.example:8200"))
    assert known.startswith('export REDISCLI_AUTH="$(VAULT_ADDR=https://vault.example:8200 vault kv get ')


def test_the_authority_s_file_may_lie_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"redis.ca_file '~/ca.pem' cannot be used"):
        tls_context(model.Redis(tls=True, ca_file="~/ca.pem"))
    (tmp_path / "ca.pem").write_text(Path(certifi.where()).read_text("ascii"), "ascii")
    assert tls_context(model.Redis(tls=True, ca_file="~/ca.pem")).get_ca_certs()
