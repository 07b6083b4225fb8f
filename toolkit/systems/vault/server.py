"""Where Vault is: address, namespace and CA, from the configuration or, where it is silent, from Vault's own variables.

`VAULT_ADDR`, `VAULT_NAMESPACE` and `VAULT_CACERT` are used only for what the configuration leaves empty, and not at
all for an environment with a token file of its own: what is exported in a shell belongs to another Vault.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.errors import ConfigurationError

if TYPE_CHECKING:
    from toolkit.environments.model import Vault

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """A Vault server. `source` says where the address came from; `ca_file` and `namespace` may be empty."""

    address: str
    source: str
    namespace: str = ""
    ca_file: str = ""
    token_file: str = ""

    def __str__(self) -> str:
        return f"Vault at {self.address}" + (f" (namespace {self.namespace})" if self.namespace else "")

    @property
    def on_loopback(self) -> bool:
        return urlsplit(self.address).hostname in _LOOPBACK

    @property
    def in_clear(self) -> bool:
        """Would a token cross a network unencrypted?"""
        return self.address.startswith("http:") and not self.on_loopback

    def by_hand(self, command: str) -> str:
        """`vault COMMAND` as one would type it against this server, with the same token."""
        words = [f"VAULT_ADDR={shlex.quote(self.address)}"]
        if self.namespace:
            words.append(f"VAULT_NAMESPACE={shlex.quote(self.namespace)}")
        if self.ca_file:
            words.append(f"VAULT_CACERT={shlex.quote(self.ca_file)}")
        if self.token_file:
            words.append(f'VAULT_TOKEN="$(cat {shlex.quote(self.token_file)})"')
        return " ".join([*words, "vault", command])


def locate(part: Vault, environ: Mapping[str, str] | None = None) -> Server:
    """The server that `part` describes. Raises ConfigurationError where it says none, or something that is no URL."""
    variables = {} if part.token_file else (os.environ if environ is None else environ)
    if part.address:
        address, source = part.address, "vault.address"
    elif variables.get("VAULT_ADDR"):
        address, source = variables["VAULT_ADDR"], "VAULT_ADDR"
    else:
        raise ConfigurationError(
            "No Vault address is known: vault.address is empty, and VAULT_ADDR is not set.",
            hint="Set vault.address of this environment, for example https://vault.example.com:8200.",
        )
    ca_file, ca_source = part.ca_file, "vault.ca_file"
    if not ca_file:
        ca_file, ca_source = variables.get("VAULT_CACERT", ""), "VAULT_CACERT"
    return Server(
        address=_checked(address.strip(), source),
        source=source,
        namespace=(part.namespace or variables.get("VAULT_NAMESPACE", "")).strip("/ "),
        ca_file=_readable(ca_file, ca_source),
        token_file=str(Path(part.token_file).expanduser()) if part.token_file else "",
    )


def _checked(address: str, source: str) -> str:
    try:
        url = urlsplit(address)
        host, _port = url.hostname, url.port
    except ValueError:
        raise ConfigurationError(
            f"{source} is not a URL.", hint="Write it like https://vault.example.com:8200."
        ) from None
    if url.username or url.password:
        raise ConfigurationError(f"{source} holds a user name or a password; Vault takes neither there.")
    if url.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"{source} is {address!r}, which is not an http or https URL.",
            hint="Write it like https://vault.example.com:8200.",
        )
    path = url.path.rstrip("/")
    for tail in ("/v1", "/ui"):
        path = path.removesuffix(tail)
    return f"{url.scheme}://{url.netloc}{path}"


def _readable(ca_file: str, source: str) -> str:
    if not ca_file:
        return ""
    path = Path(ca_file).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"{source} is {ca_file!r}, and there is no such file.",
            hint="It must be a file with the PEM certificate of the CA that signed Vault's certificate.",
        )
    return str(path)
