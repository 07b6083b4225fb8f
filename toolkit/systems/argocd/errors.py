"""What Argo CD's refusals and silences mean: the bodies of grpc-gateway, web pages, and no answer at all."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.systems import web

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Where:
    """Which Argo CD, and which application there. `token_by_hand` prints the token; "": the CLI has its own."""

    address: str
    application: str
    project: str = ""
    token_by_hand: str = ""
    ca_file: str = ""
    insecure: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def __str__(self) -> str:
        return f"Argo CD at {self.address}"

    def by_hand(self, verb: str) -> str:
        """`argocd app VERB …` for the application; the token reaches it by a variable, which a command in it fills."""
        token = f'ARGOCD_AUTH_TOKEN="$({self.token_by_hand})" ' if self.token_by_hand else ""
        trust = f" --server-crt {shlex.quote(self.ca_file)}" if self.ca_file else ""
        trust += " --insecure" if self.insecure else ""
        return f"{token}argocd app {verb} {shlex.quote(self.application)} --server {self.host}{trust}"


def refused(code: int, headers: Mapping[str, str], body: bytes, where: Where) -> ToolkitError:
    """Any answer but 200."""
    hand = (where.by_hand("get"),)
    if 300 <= code < 400:
        return Unreachable(
            f"{where} sends us on to {web.redirected_to(headers)} instead of answering: a login page, most likely.",
            hint="Is argocd.address the server's own address? It may be behind a gateway that people log in to.",
            by_hand=hand,
        )
    words = _words(body, headers.get("Content-Type", ""))
    if words is None:
        return _page(where, code)
    if code == 401:
        expired = "expired" in words
        renew = (
            "Argo CD's owners can issue a new one; it is read from argocd.vault_path in Vault."
            if where.token_by_hand
            else f"Log in anew: argocd login {where.host} --sso"
        )
        what = "our token has expired" if expired else "it does not take our token"
        return NotAllowed(f"{where}: {what} (401: {words}).", hint=renew, by_hand=hand)
    if code == 403:
        unnamed = "" if where.project else " Argo CD says the same of an application that does not exist."
        return NotAllowed(
            f"{where} does not let us see the application {where.application} (403: {words}).{unnamed}",
            hint="Is argocd.application right? Then ask those who run Argo CD for the right `applications, get`."
            + ("" if where.project else " With argocd.project set, the two can be told apart."),
            by_hand=(f"argocd app list --server {where.host}",),
        )
    if code == 404:
        return NotFound(
            f"{where} knows no application {where.application}{f' in project {where.project}' if where.project else ''}"
            f" (404: {words}).",
            hint="Correct argocd.application, or argocd.project.",
            by_hand=(f"argocd app list --server {where.host}",),
        )
    if code in (429, 500, 502, 503, 504):
        return Unreachable(
            f"{where} is in trouble ({code}): {words}.", hint="Is it restarting? Try again in a minute.", by_hand=hand
        )
    return Failed(f"{where} answers {code}: {words}.", by_hand=hand)


def broken(error: Exception, where: Where, seconds: float) -> ToolkitError:
    """A question without an answer."""
    hand = (where.by_hand("get"),)
    reason = web.reason(error)
    if web.is_untrusted(error):
        return Unreachable(
            f"{where} shows a certificate that is not trusted: {reason}.",
            hint="argocd.ca_file names the authority that signed it; argocd.insecure = true leaves it unchecked.",
            by_hand=(f"openssl s_client -connect {where.host} </dev/null",),
        )
    if web.is_late(error):
        return TimedOut(
            f"{where} did not answer within {seconds:g} s.",
            hint="Is your VPN up? argocd.timeout_seconds is how long is waited.",
            by_hand=hand,
        )
    return Unreachable(
        f"{where} cannot be reached: {reason}.", hint="Is your VPN up? Is argocd.address right?", by_hand=hand
    )


def nonsense(where: Where, what: str) -> ToolkitError:
    return Unreachable(
        f"What answers at {where.address} is no Argo CD: it sent {what}.",
        hint="argocd.address is what stands before /api/v1; does a gateway or a login page stand before it?",
        by_hand=(where.by_hand("get"),),
    )


def _page(where: Where, code: int) -> ToolkitError:
    return nonsense(where, f"a web page ({code})")


def _words(body: bytes, kind: str) -> str | None:
    """What a refusal says, on one line; None for a web page."""
    text = body[:20_000].decode("utf-8", "replace").strip()
    if "html" in kind or text[:1] == "<":
        return None
    try:
        found = json.loads(text)
        text = str(found.get("message") or found.get("error") or "no explanation")
    except (ValueError, AttributeError):
        pass
    return " ".join(scrub(text).split()).rstrip(".")[:_LONGEST] or "no explanation"
