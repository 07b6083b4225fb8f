"""configome over HTTP: one GET of a YAML file, and what refusals and silences mean. HTTP proxies are not used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from toolkit.errors import Failed, NotAllowed, NotFound, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.systems import web
from toolkit.systems.git_file import LARGEST_FILE

if TYPE_CHECKING:
    import urllib3

    from toolkit.environments.loader import Configome as Part
    from toolkit.secret import Secret

_LONGEST: Final = 200  # characters of a server's own words
_PIECE: Final = 2**16


class Page:
    """The YAML at `part.remote`. A redirect is not followed: the token goes nowhere else."""

    def __init__(self, part: Part, token: Callable[[], Secret] | None, token_by_hand: str) -> None:
        self.part = part
        self._url = _checked(part.remote)
        self._token_from = token
        self._token_by_hand = token_by_hand
        self._pool = web.Pool(
            part.timeout_seconds, lambda: web.certificates(self._url, part.ca_file, "configome", "configome")
        )

    @property
    def by_hand(self) -> str:
        """The `curl` that asks for the same."""
        return web.curl(self._url, self.part.ca_file, self._token_by_hand)

    def read(self) -> str:
        """The text. Raises NotAllowed, NotFound, Unreachable, TimedOut, Failed (too large, no text)."""
        import urllib3

        headers = {"Accept": "application/yaml, text/yaml, text/plain, */*", "User-Agent": "mapapp-toolkit"}
        if self._token_from is not None:
            headers["Authorization"] = f"Bearer {self._token_from().reveal()}"
        until = time.monotonic() + self.part.timeout_seconds
        try:
            answer = self._pool.opened().request(
                "GET", self._url, headers=headers, redirect=False, preload_content=False
            )
            try:
                body = self._body(answer, until)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise self._broken(error) from error
        if answer.status != 200:
            raise self._refused(answer.status, answer.headers, body)
        if body.lstrip()[:1] == b"<":
            raise Unreachable(
                f"configome at {self._url} sends a web page, not YAML: a login page, most likely.",
                hint="configome.remote must be the address of the YAML itself (its raw form); does it want a token?",
                by_hand=(self.by_hand,),
            )
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise Failed(f"configome at {self._url} is no text.", hint="Is configome.remote the YAML itself?") from None

    def close(self) -> None:
        self._pool.close()

    def _body(self, answer: urllib3.BaseHTTPResponse, until: float) -> bytes:
        """All of it, unless it is too large or comes too slowly."""
        found = bytearray()
        while piece := answer.read1(_PIECE):
            found += piece
            if len(found) > LARGEST_FILE:
                raise Failed(f"What is at {self._url} is too large to be configome.", hint="Correct configome.remote.")
            if time.monotonic() > until:
                raise self._late()
        return bytes(found)

    def _refused(self, code: int, headers: Mapping[str, str], body: bytes) -> ToolkitError:
        where, hand = f"configome at {self._url}", (self.by_hand,)
        if 300 <= code < 400:
            return Unreachable(
                f"{where} sends us on to {web.redirected_to(headers)} instead of answering: a login page, most likely.",
                hint="configome.remote must be the address of the YAML itself; does it want a token?",
                by_hand=hand,
            )
        said = _words(body)
        said = f": {said}" if said else ""
        if code in (401, 403):
            hint = "Is its token in Vault (configome.vault_path) still good, and may it read that file?"
            if self._token_from is None:
                hint = "It wants a token: set configome.vault_path to where one lies in Vault."
            return NotAllowed(f"{where} does not let us in ({code}){said}.", hint=hint, by_hand=hand)
        if code == 404:
            return NotFound(f"{where} is not there (404).", hint="Correct configome.remote.", by_hand=hand)
        if code >= 500 or code == 429:
            return Unreachable(f"{where} is in trouble ({code}){said}.", hint="Ask again in a while.", by_hand=hand)
        return Failed(f"{where} refuses the question ({code}){said}.", by_hand=hand)

    def _broken(self, error: Exception) -> ToolkitError:
        where, hand = f"configome at {self._url}", (self.by_hand,)
        if web.is_untrusted(error):
            return Unreachable(
                f"{where} shows a certificate that is not trusted: {web.reason(error)}.",
                hint="configome.ca_file names the authority that signed it.",
                by_hand=hand,
            )
        if web.is_late(error):
            return self._late()
        return Unreachable(
            f"{where} cannot be reached: {web.reason(error)}.",
            hint="Is your VPN up? Is configome.remote right?",
            by_hand=hand,
        )

    def _late(self) -> TimedOut:
        return TimedOut(
            f"configome at {self._url} did not answer within {self.part.timeout_seconds:g} s.",
            hint="configome.timeout_seconds is how long is waited.",
            by_hand=(self.by_hand,),
        )


def _checked(remote: str) -> str:
    hint = "Write it like https://configome.example.com/configome.yaml, without a user or a password."
    return web.checked(remote, "configome.remote", hint=hint, confidential=True).geturl()


def _words(body: bytes) -> str:
    """What it says, on one line; "" for a web page."""
    text = " ".join(scrub(body[:5000].decode("utf-8", "replace")).split())
    return "" if text.startswith("<") else text[:_LONGEST].rstrip(".")
