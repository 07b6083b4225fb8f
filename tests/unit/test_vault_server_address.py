"""Where Vault is, from the configuration and from Vault's own variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.environments.model import Vault
from toolkit.errors import ConfigurationError
from toolkit.systems.vault.server import locate

VARIABLES = {"VAULT_ADDR": "https://from.variable:8200", "VAULT_NAMESPACE": "variable/", "VAULT_CACERT": ""}


def test_the_configuration_comes_first() -> None:
    server = locate(Vault(address="https://configured:8200", namespace="configured"), VARIABLES)
    assert (server.address, server.source, server.namespace) == (
        "https://configured:8200",
        "vault.address",
        "configured",
    )


def test_vaults_variables_fill_what_is_empty() -> None:
    server = locate(Vault(), VARIABLES)
    assert (server.address, server.source, server.namespace) == ("https://from.variable:8200", "VAULT_ADDR", "variable")


def test_an_environment_with_its_own_token_ignores_the_variables() -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.address is empty"):
        locate(Vault(token_file="/own/token"), VARIABLES)
    server = locate(Vault(address="http://127.0.0.1:8200", token_file="/own/token"), VARIABLES)
    assert server.namespace == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://vault.example.com:8200/", "https://vault.example.com:8200"),
        ("https://vault.example.com/ui/", "https://vault.example.com"),
        ("https://vault.example.com/v1", "https://vault.example.com"),
        ("https://example.com/vault/", "https://example.com/vault"),
        (" http://[::1]:8200 ", "http://[::1]:8200"),
    ],
)
def test_addresses_as_people_copy_them(written: str, meant: str) -> None:
    assert locate(Vault(address=written), {}).address == meant


@pytest.mark.parametrize(
    "written", ["vault.example.com:8200", "vault", "ftp://vault", "https://", "https://vault:port", "https://[::1"]
)
def test_what_is_no_address(written: str) -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.address") as caught:
        locate(Vault(address=written), {})
    assert "https://vault.example.com:8200" in caught.value.hint


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        locate(Vault(address="https://me:hunter2@vault.example.com"), {})
    assert "hunter2" not in str(caught.value)


def test_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"vault\.ca_file"):
        locate(Vault(address="https://vault", ca_file=str(tmp_path / "ca.pem")), {})
    with pytest.raises(ConfigurationError, match="VAULT_CACERT"):
        locate(Vault(address="https://vault"), {"VAULT_CACERT": str(tmp_path / "ca.pem")})


@pytest.mark.parametrize(
    ("address", "in_clear"),
    [("http://vault.example.com", True), ("https://vault.example.com", False), ("http://127.0.0.1:8200", False)],
)
def test_a_token_in_clear(address: str, in_clear: bool) -> None:
    assert locate(Vault(address=address), {}).in_clear is in_clear
