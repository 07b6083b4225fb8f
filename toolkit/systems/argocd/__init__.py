"""Argo CD's REST API, as its API reference (/swagger-ui of Argo CD 3) describes it: one application, read only.

A sync stays a thing to do by hand: `sync_by_hand` is the command, `link` the page with the button. What its refusals
mean stands in argocd/errors.py, where the token comes from in argocd/token.py. HTTP proxies of the environment are not
used.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

from toolkit.errors import ConfigurationError
from toolkit.systems.argocd.application import Application, read_application
from toolkit.systems.argocd.errors import Where, broken, nonsense, refused
from toolkit.systems.argocd.token import own_token

if TYPE_CHECKING:
    from toolkit.environments import model
    from toolkit.secret import Secret

__all__ = ["Application", "ArgoCD"]

_LONGEST_ANSWER: Final = 64 * 2**20


class ArgoCD:
    """The Argo CD that `part` names. `token` reads its token, once; None: the user's own. Thread-safe.

    Raises ConfigurationError for a part that names no server or no application.
    """

    def __init__(
        self, part: model.ArgoCD, token: Callable[[], Secret] | None = None, *, token_by_hand: str = ""
    ) -> None:
        self.part = part
        if not part.application:
            raise ConfigurationError(
                "Which Argo CD application deploys the cache manager, is not configured: argocd.application is empty.",
                hint="Set it; `toolkit config check` lists all that is open.",
            )
        self.where = Where(
            _checked(part.address), part.application, part.project, token_by_hand, part.ca_file, insecure=part.insecure
        )
        self._token_from = token or (lambda: own_token(self.where.host, part.cli_config))
        self._token: Secret | None = None
        self._lock = threading.Lock()

    def application(self) -> Application:
        """The configured application, as Argo CD last compared it.

        Raises NotAllowed (no token, refused, expired), NotFound, Unreachable, TimedOut, ConfigurationError.
        """
        import urllib3

        seconds = self.part.timeout_seconds
        words = urlencode({"project": self.part.project} if self.part.project else {})
        url = f"{self.where.address}/api/v1/applications/{quote(self.part.application, safe='')}"
        headers = {
            "Authorization": f"Bearer {self._known_token().reveal()}",
            "Accept": "application/json",
            "User-Agent": "mapapp-toolkit",
        }
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=min(5.0, seconds), read=seconds), ssl_context=self._tls(), retries=False
        )
        try:
            response = pool.request(
                "GET", url + (f"?{words}" if words else ""), headers=headers, redirect=False, preload_content=False
            )
            body = response.read(_LONGEST_ANSWER, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise broken(error, self.where, seconds) from error
        finally:
            pool.clear()
        if response.status != 200:
            if response.status == 401:
                self.close()  # the next question reads the token anew: Vault may have a newer one
            raise refused(response.status, response.headers, body, self.where)
        if "html" in response.headers.get("Content-Type", "") or body[:1] == b"<":
            raise nonsense(self.where, "a web page")
        try:
            found = json.loads(body)
        except ValueError:
            raise nonsense(self.where, "what is no JSON") from None
        if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict) or "spec" not in found:
            raise nonsense(self.where, "JSON that is no application")
        return read_application(found)

    def link(self, namespace: str = "") -> str:
        """The application's page. `namespace` is that of the Application, in Argo CD's own cluster."""
        return f"{self.where.address}/applications/{namespace + '/' if namespace else ''}{self.part.application}"

    @property
    def get_by_hand(self) -> str:
        return self.where.by_hand("get")

    @property
    def sync_by_hand(self) -> str:
        return self.where.by_hand("sync")

    def close(self) -> None:
        """Forget the token."""
        with self._lock:
            self._token = None

    def _known_token(self) -> Secret:
        with self._lock:
            if self._token is not None:
                return self._token
        token = self._token_from()  # not under the lock: it may ask Vault
        with self._lock:
            self._token = token
        return token

    def _tls(self) -> ssl.SSLContext | None:
        if not self.where.address.startswith("https:"):
            return None
        file = Path(self.part.ca_file).expanduser() if self.part.ca_file else None
        try:
            context = ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"argocd.ca_file is {self.part.ca_file!r}, which cannot be read as certificates: {error}.",
                hint="It must be a PEM file with the certificate of the authority that signed Argo CD's.",
            ) from error
        if self.part.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _checked(address: str) -> str:
    """The address with its scheme, https where it names none as the CLI's --server does."""
    if not address:
        raise ConfigurationError(
            "Where Argo CD is, is not configured: argocd.address is empty.",
            hint="Set it; `toolkit config check` lists all that is open.",
        )
    text = address.strip() if "://" in address else f"https://{address.strip()}"
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        host, url = None, urlsplit("")
    if url.scheme not in ("http", "https") or not host or url.username or url.password:
        raise ConfigurationError(
            "argocd.address is no http or https URL" + (" that may stand there" if host else "") + ".",
            hint="Write it like https://argocd.example.com, without a user, a password or /api/v1 behind it.",
        )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/api/v1')}"
