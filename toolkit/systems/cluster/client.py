"""The connections to one cluster, and the credential that goes with each request, from a kubeconfig's entries.

The usual entries (tokens, certificates, a password) are taken as they are: Kubernetes' SDK takes most of a second to
import, and gives no more than a urllib3 pool and a header for them. A login of its own kind (auth-provider) and a way
through a proxy are left to the SDK.
"""

from __future__ import annotations

import base64
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from toolkit.errors import ConfigurationError, NotAllowed
from toolkit.secret import Secret, scrub

if TYPE_CHECKING:
    import urllib3

Table = dict[str, Any]

# The SDK's packages import each other; two threads that import it at once find each other's half of it.
_importing: Final = threading.Lock()
_CONNECTIONS: Final = 10


@dataclass(frozen=True)
class Client:
    """`pool` connects to the cluster, `headers` log in there; `own_pool` makes one more, apart from all others."""

    pool: urllib3.PoolManager
    headers: Callable[[], Mapping[str, str]]
    own_pool: Callable[[], urllib3.PoolManager]

    def close(self) -> None:
        self.pool.clear()


def open_client(who: str, cluster: Table, user: Table, by_hand: str) -> Client:
    """From the `cluster` and `user` of a context; `who` is what errors call it. Connects to nothing yet.

    Raises ConfigurationError where they are broken, NotAllowed where a login of the SDK's fails.
    """
    for key in ("token", "password", "client-key-data"):
        if user.get(key):
            Secret(str(user[key]))  # from now on it is scrubbed from every text
    try:
        return _by_sdk(who, cluster, user) if _needs_sdk(cluster, user) else _plain(cluster, user)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{who} cannot be used: {scrub(str(error))}.",
            hint="Get its credentials anew, for GKE: gcloud container clusters get-credentials …",
            by_hand=(by_hand,),
        ) from error


def _needs_sdk(cluster: Table, user: Table) -> bool:
    if user.get("auth-provider") or user.get("exec") or cluster.get("proxy-url"):
        return True
    address = str(cluster.get("server"))
    proxies = getproxies()
    return not _is_loopback(address) and bool(proxies.get(urlsplit(address).scheme) or proxies.get("all"))


def _plain(cluster: Table, user: Table) -> Client:
    import urllib3

    headers = _headers(user)
    options: dict[str, Any] = {"maxsize": _CONNECTIONS}
    if urlsplit(str(cluster.get("server"))).scheme == "https":
        options["ssl_context"] = _tls(cluster, user)
        if cluster.get("tls-server-name"):
            options["server_hostname"] = str(cluster["tls-server-name"])

    def pool() -> urllib3.PoolManager:
        return urllib3.PoolManager(**options)

    return Client(pool(), lambda: headers, pool)


def _headers(user: Table) -> Mapping[str, str]:
    """As kubectl has it: a token's file before a token, a token before a password."""
    file = user.get("tokenFile")
    token = Path(str(file)).read_text("utf-8").strip() if file else str(user.get("token") or "").strip()
    if token:
        return {"authorization": f"Bearer {Secret(token).reveal()}"}
    if user.get("username") and user.get("password"):
        basic = base64.b64encode(f"{user['username']}:{user['password']}".encode()).decode()
        return {"authorization": f"Basic {Secret(basic).reveal()}"}
    return {}


def _tls(cluster: Table, user: Table) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    trusting = bool(cluster.get("insecure-skip-tls-verify"))
    context = create_urllib3_context(cert_reqs=ssl.CERT_NONE if trusting else ssl.CERT_REQUIRED)
    authority, inline = cluster.get("certificate-authority"), cluster.get("certificate-authority-data")
    if trusting:
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the kubeconfig asks for it
    elif authority:
        context.load_verify_locations(cafile=str(authority))
    elif inline:
        context.load_verify_locations(cadata=_decoded(inline).decode("ascii"))
    else:
        context.load_default_certs()
    certificate, key = (_file_or_text(user, name) for name in ("client-certificate", "client-key"))
    if certificate is not None:
        _load(context, certificate, key)
    return context


def _file_or_text(user: Table, name: str) -> Path | bytes | None:
    if user.get(name):
        return Path(str(user[name]))
    inline = user.get(f"{name}-data")
    return _decoded(inline) if inline else None


def _load(context: ssl.SSLContext, certificate: Path | bytes, key: Path | bytes | None) -> None:
    """OpenSSL takes both from files alone: what is no file is one for as long as it is read."""
    with tempfile.TemporaryDirectory() as folder:  # nobody else's: its mode is 0700

        def as_file(content: Path | bytes, name: str) -> Path:
            if isinstance(content, Path):
                return content
            file = Path(folder) / name
            file.touch(0o600)
            file.write_bytes(content)
            return file

        files = as_file(certificate, "certificate"), None if key is None else as_file(key, "key")
        for file in files:
            if file is not None:
                file.stat()  # OpenSSL's own error does not say which file is not there
        # Without a password OpenSSL would ask for an encrypted key's in the terminal.
        context.load_cert_chain(*files, password="")


def _decoded(text: object) -> bytes:
    return base64.b64decode("".join(str(text).split()), validate=True)


def _by_sdk(who: str, cluster: Table, user: Table) -> Client:
    with _importing:
        from kubernetes.client import ApiClient, Configuration
        from kubernetes.client.rest import RESTClientObject
        from kubernetes.config import ConfigException
        from kubernetes.config.kube_config import KubeConfigLoader

    chosen = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": _filled(cluster)}],
        "users": [{"name": "it", "user": _filled(user)}],
    }
    configuration = Configuration()
    try:
        loader = KubeConfigLoader(chosen, "it", config_base_path="")  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise ValueError(error) from error
    except _google_errors() as error:
        raise NotAllowed(
            f"{who} logs in with Google, and that failed: {error}",
            hint="Log in again: gcloud auth application-default login",
        ) from error
    if _is_loopback(configuration.host) and not cluster.get("proxy-url"):
        configuration.proxy = None  # as kubectl does: what runs on this machine is not asked for through a proxy
    if not configuration.verify_ssl:
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    client = ApiClient(configuration)

    def headers() -> Mapping[str, str]:
        # The SDK keeps the line break at the end of a token's file, which no header may have.
        settings: Any = configuration.auth_settings()
        return {one["key"]: one["value"].strip() for one in settings.values() if one["value"]}

    def own_pool() -> urllib3.PoolManager:
        manager: urllib3.PoolManager = RESTClientObject(configuration).pool_manager
        return manager

    return Client(client.rest_client.pool_manager, headers, own_pool)


def _filled(table: Table) -> Table:
    """The SDK takes an empty key for a broken one; kubectl passes over it."""
    return {key: value for key, value in table.items() if value is not None}


def _google_errors() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError

    found: type[Exception] = GoogleAuthError
    return found


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
