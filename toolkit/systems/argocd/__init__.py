"""Argo CD's REST API, as its API reference (/swagger-ui of Argo CD 3) describes it: one application, read only.

A sync stays a thing to do by hand: `sync_by_hand` is the command, `link` the page with the button. What its refusals
mean stands in argocd/errors.py, where the token comes from in argocd/token.py. HTTP proxies of the environment are not
used.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from toolkit.errors import ConfigurationError
from toolkit.systems import web
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
        self._token = web.Token(token or (lambda: own_token(self.where.host, part.cli_config)))

    def application(self) -> Application:
        """The configured application, as Argo CD last compared it.

        Raises NotAllowed (no token, refused, expired), NotFound, Unreachable, TimedOut, ConfigurationError.
        """
        import urllib3

        seconds = self.part.timeout_seconds
        words = urlencode({"project": self.part.project} if self.part.project else {})
        url = f"{self.where.address}/api/v1/applications/{quote(self.part.application, safe='')}"
        headers = {
            "Authorization": f"Bearer {self._token.known().reveal()}",
            "Accept": "application/json",
            "User-Agent": "mapapp-toolkit",
        }
        pool = web.Pool(seconds, self._trust)
        try:
            response = pool.opened().request(
                "GET", url + (f"?{words}" if words else ""), headers=headers, redirect=False, preload_content=False
            )
            body = response.read(_LONGEST_ANSWER, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise broken(error, self.where, seconds) from error
        finally:
            pool.close()
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
        self._token.forget()

    def _trust(self) -> ssl.SSLContext | None:
        context = web.certificates(self.where.address, self.part.ca_file, "argocd", "Argo CD")
        if context is not None and self.part.insecure:
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
    url = web.checked(
        address if "://" in address else f"https://{address.strip()}",
        "argocd.address",
        hint="Write it like https://argocd.example.com, without a user, a password or /api/v1 behind it.",
    )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/api/v1')}"
