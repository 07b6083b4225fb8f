"""Okta's Users and Groups API, as Okta's "Management API" (v1) describes it: who somebody is, and their groups.

Only reads. What its refusals mean stands in okta/errors.py. HTTP proxies of the environment are not used.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from toolkit.errors import ConfigurationError, NotFound, Unreachable
from toolkit.systems import web
from toolkit.systems.okta.errors import Passing, Where, broken, nonsense, refused
from toolkit.systems.okta.people import Group, User, read_group, read_user

if TYPE_CHECKING:
    from toolkit.environments.access import Okta as Part
    from toolkit.secret import Secret

_TRIES: Final = 3
_MOST_WAITING: Final = 8.0  # seconds in all for one question; a check has twenty
_MOST_PAGES: Final = 100
_NEXT: Final = re.compile(r"<([^>]*)>\s*;\s*rel=\"?next\"?")
_ID: Final = re.compile(r"00g[A-Za-z0-9]{17}")


class Okta:
    """One organisation's Okta, as `part` configures it. `token` reads its API token, once; `token_by_hand` is the
    command that prints it. Thread-safe."""

    def __init__(self, part: Part, token: Callable[[], Secret], token_by_hand: str) -> None:
        self.part = part
        self.where = Where(_checked(part.address), part.ca_file, token_by_hand)
        self._token = web.Token(token)
        self._pool = web.Pool(
            part.timeout_seconds, lambda: web.certificates(self.where.address, part.ca_file, "okta", "Okta")
        )

    def user(self, who: str) -> User | None:
        """The person of that login, short login or e-mail address; None where there is none.

        Raises ToolkitError where two people have that address.
        """
        try:
            found = self._get(f"/api/v1/users/{quote(who, safe='')}")
        except NotFound:
            return self._searched(who)
        user: User = self._read(read_user, found)
        return user

    def groups_of(self, user: User) -> list[Group]:
        """Every group the person is in, by name, of all types."""
        found = [self._read(read_group, one) for one in self._pages(f"/api/v1/users/{user.id}/groups?limit=200")]
        return sorted(found, key=lambda group: (group.name, group.type))

    def groups_called(self, name: str) -> list[Group]:
        """The groups of exactly that name (several types may share it), or the one of that id."""
        if _ID.fullmatch(name):
            try:
                return [self._read(read_group, self._get(f"/api/v1/groups/{name}"))]
            except NotFound:
                return []
        search = quote(f'profile.name eq "{_quoted(name)}"', safe="")
        return [self._read(read_group, one) for one in self._pages(f"/api/v1/groups?search={search}&limit=200")]

    def app_label(self, app: str) -> str:
        """What the administrators call the app that a group was imported from."""
        found = self._get(f"/api/v1/apps/{quote(app, safe='')}")
        return str(found.get("label") or found.get("name") or app)

    def by_hand(self, path: str) -> str:
        """The command that asks the same."""
        return self.where.by_hand(path)

    def close(self) -> None:
        """Forget the token, and end the connections."""
        self._token.forget()
        self._pool.close()

    def _searched(self, who: str) -> User | None:
        """By e-mail address: it need not be what they sign in with. A search finds the deprovisioned too."""
        text = _quoted(who)
        search = quote(f'profile.login eq "{text}" or profile.email eq "{text}"', safe="")
        found = [self._read(read_user, one) for one in self._pages(f"/api/v1/users?search={search}&limit=20")]
        alive = [one for one in found if one.status != "DEPROVISIONED"] or found
        if len(alive) > 1:
            logins = ", ".join(one.login for one in alive)
            raise NotFound(
                f"{len(alive)} people in {self.where} have that address: {logins}.", hint="Name one by the login."
            )
        return alive[0] if alive else None

    def _read(self, reading: Callable[[Any], Any], found: Any) -> Any:
        try:
            return reading(found)
        except (KeyError, TypeError, AttributeError):
            raise nonsense(self.where, "JSON of another shape") from None

    def _pages(self, path: str) -> Iterator[Any]:
        """What is listed at `path`, over all pages. The next one's address is followed only in this organisation: the
        token goes nowhere else."""
        for _ in range(_MOST_PAGES):
            items, links = self._asked(path)
            if not isinstance(items, list):
                raise nonsense(self.where, "JSON of another shape")
            yield from items
            further = next((found[1] for link in links if (found := _NEXT.search(link))), "")
            if not further:
                return
            url = urlsplit(further)
            path = url.path + (f"?{url.query}" if url.query else "")
        raise Unreachable(f"{self.where} lists without an end: more than {_MOST_PAGES} pages at {path.split('?')[0]}.")

    def _get(self, path: str) -> Any:
        found, _ = self._asked(path)
        if not isinstance(found, dict):
            raise nonsense(self.where, "JSON of another shape")
        return found

    def _asked(self, path: str) -> tuple[Any, list[str]]:
        """The JSON at `path` and its Link headers; asked again where that may help."""
        waited = 0.0
        for again in range(_TRIES):
            try:
                return self._once(path)
            except Passing as passing:
                pause = passing.after if passing.after is not None else 0.2 * 4**again
                if again + 1 == _TRIES or waited + pause > _MOST_WAITING:
                    raise passing.error from passing
            time.sleep(pause)
            waited += pause
        raise AssertionError("unreachable")

    def _once(self, path: str) -> tuple[Any, list[str]]:
        import urllib3

        headers = {
            "Accept": "application/json",
            "Authorization": f"SSWS {self._token.known().reveal()}",
            "User-Agent": "mapapp-toolkit",
        }
        try:
            answer = self._pool.opened().request("GET", self.where.address + path, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise broken(error, self.where, path, self.part.timeout_seconds) from error
        if answer.status != 200:
            raise refused(answer.status, answer.headers, answer.data, self.where, path)
        try:
            return json.loads(answer.data), list(answer.headers.getlist("Link"))
        except ValueError:
            page = answer.data.lstrip()[:1] == b"<"
            raise nonsense(self.where, "a web page" if page else "something that is not JSON") from None


def _quoted(text: str) -> str:
    """Inside the quotes of a search expression."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _checked(address: str) -> str:
    if not address:
        raise ConfigurationError(
            "Where Okta is, is not configured: okta.address is empty.",
            hint="Set it under [environments.NAME.okta], with okta.vault_path; `toolkit config path` shows where.",
        )
    url = web.checked(
        address,
        "okta.address",
        hint="Write it like https://example.okta.com, without a user, a password or the /api/v1 behind it.",
        confidential=True,
    )
    return f"{url.scheme}://{url.netloc}"
