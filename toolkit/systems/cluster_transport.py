"""Connections to a cluster's API as its kubeconfig describes them: certificates, server name, proxy, user.

Done on urllib3, on which the Kubernetes SDK stands too: importing the SDK takes longer than all that a command does
with a cluster. It is imported only for a login that is its own (`auth-provider`).
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from toolkit.errors import ConfigurationError, NotAllowed
from toolkit.secret import Secret, scrub

if TYPE_CHECKING:
    import urllib3

Table = dict[str, Any]

_POOL: Final = 8


@dataclass(frozen=True)
class Transport:
    """How to reach one API server. `pool()` makes a new pool of connections; all pools share one TLS context."""

    address: str
    context: ssl.SSLContext | None
    server_name: str
    proxy: str

    def pool(self) -> urllib3.PoolManager:
        import urllib3

        options: Table = {"maxsize": _POOL, "retries": False}
        if self.context is not None:
            options["ssl_context"] = self.context
        if self.server_name:
            options["server_hostname"] = self.server_name
        if not self.proxy:
            return urllib3.PoolManager(**options)
        parts = urlsplit(self.proxy)
        if parts.scheme.startswith("socks"):
            try:
                from urllib3.contrib.socks import SOCKSProxyManager
            except ImportError:
                raise ConfigurationError(
                    f"The cluster at {self.address} is reached through a SOCKS proxy, for which PySocks is missing.",
                    hint="Install it beside the toolkit: pip install pysocks",
                ) from None
            return SOCKSProxyManager(self.proxy, **options)
        if parts.username:
            credential = Secret(f"{parts.username}:{parts.password or ''}")
            options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=credential.reveal())
        return urllib3.ProxyManager(self.proxy, **options)


def transport(address: str, cluster: Table, user: Table) -> Transport:
    """From a kubeconfig's cluster and user. Raises OSError, ValueError where a certificate cannot be read."""
    context = _context(cluster, user) if address.startswith("https:") else None
    proxy = str(cluster.get("proxy-url") or "") or _proxy_of_the_machine(address)
    return Transport(address, context, str(cluster.get("tls-server-name") or ""), proxy)


def headers(user: Table, cluster: Table, who: str) -> dict[str, str]:
    """What a request says about the user. `who` begins an error's message. Raises NotAllowed, OSError."""
    found: dict[str, str] = {}
    if user.get("token"):
        found["Authorization"] = f"Bearer {Secret(str(user['token'])).reveal()}"
    elif user.get("tokenFile"):
        with open(user["tokenFile"], encoding="utf-8") as file:  # noqa: PTH123
            found["Authorization"] = f"Bearer {Secret(file.read().strip()).reveal()}"
    elif user.get("auth-provider"):
        found["Authorization"] = _from_the_sdk(user, cluster, who)
    elif user.get("username") and user.get("password"):
        credential = f"{user['username']}:{Secret(str(user['password'])).reveal()}"
        found["Authorization"] = "Basic " + Secret(base64.b64encode(credential.encode()).decode()).reveal()
    if user.get("as"):
        found["Impersonate-User"] = str(user["as"])
    return found


def _context(cluster: Table, user: Table) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_text(cluster, "certificate-authority"))
    # As kubectl: many clusters' authorities lack an extension that RFC 5280 asks for and Python 3.13 insists on.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    context.set_alpn_protocols(["http/1.1"])
    if cluster.get("insecure-skip-tls-verify"):
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the kubeconfig asks for it
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate = _text(user, "client-certificate")
    if certificate:
        _load_certificate(context, certificate, _text(user, "client-key") or "")
    return context


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """ssl reads a key from a file only; the file is there for this one moment, and for the user alone."""
    file, name = tempfile.mkstemp()
    try:
        with os.fdopen(file, "w", encoding="ascii") as written:
            written.write(f"{certificate}\n{Secret(key).reveal()}\n")
        context.load_cert_chain(name)
    finally:
        os.unlink(name)  # noqa: PTH108


def _text(table: Table, key: str) -> str | None:
    """The PEM text that stands in the kubeconfig (base64), or in the file it names; None without either."""
    inline = table.get(f"{key}-data")
    if inline:
        try:
            return base64.b64decode(inline, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError, TypeError):
            raise ValueError(f"{key}-data is not base64 of a PEM text") from None
    if table.get(key):
        with open(table[key], encoding="ascii") as file:  # noqa: PTH123
            return file.read()
    return None


def _proxy_of_the_machine(address: str) -> str:
    """The proxy that HTTPS_PROXY and NO_PROXY say; none for this machine itself, as for kubectl."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(parts.netloc):
        return ""
    return getproxies().get(parts.scheme, "")


def _from_the_sdk(user: Table, cluster: Table, who: str) -> str:
    from google.auth.exceptions import GoogleAuthError
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    chosen = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": user}],
    }
    configuration = Configuration()
    provider = str(dict(user["auth-provider"]).get("name", ""))
    hint = "Log in again, or get the cluster's credentials anew: gcloud container clusters get-credentials …"
    try:
        loader = KubeConfigLoader(chosen, "it", config_base_path="")  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, GoogleAuthError, OSError, ValueError, KeyError, TypeError) as error:
        raise NotAllowed(
            f"{who} logs in through {provider}, and that failed: {scrub(str(error))}", hint=hint
        ) from error
    settings: Table = dict(configuration.auth_settings())
    found = [str(one["value"]) for one in settings.values() if one["value"]]
    if not found:
        raise NotAllowed(f"{who} logs in through {provider}, which gave no credential.", hint=hint)
    return "Bearer " + Secret(found[0].removeprefix("Bearer ")).reveal()
