"""Okta's Management API over the sandbox's people, after the Users, Groups and Apps pages of its v1 documentation.

It has: a user by id, login or short login; users and groups by `search` (only `profile.NAME eq "…"`, joined by `or`); a
user's groups, page by page with Link headers; a group; an app. It answers with Okta's error documents and rate limit
headers, and wants an SSWS token. It leaves out: every change, `q` and `filter`, `expand`, ETags, OAuth 2.0 tokens.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from toolkit.sandbox.okta.directory import Directory, Object, made_up_id
from toolkit.sandbox.web_server import Door, WebFaults

_LIMIT: Final = 600  # questions a minute
_TERM: Final = re.compile(r'profile\.(\w+) eq "((?:[^"\\]|\\.)*)"')

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Faults(WebFaults):
    """Besides: revoked: the token is not taken any more. forbidden: the token may read nothing. apps_forbidden: it may
    not read apps. too_many: so many next requests get 429; the limit is reset after `reset_after` seconds.
    most_in_page: how many objects one answer has.
    """

    revoked: bool = False
    forbidden: bool = False
    apps_forbidden: bool = False
    too_many: int = 0
    reset_after: float = 1.0
    most_in_page: int = 200


class Refusal(Exception):
    """Answered with this HTTP code and Okta's error document."""

    def __init__(self, status: int, code: str, summary: str) -> None:
        super().__init__(summary)
        self.status = status
        self.code = code

    def document(self) -> Object:
        return {
            "errorCode": self.code,
            "errorSummary": str(self),
            "errorLink": self.code,
            "errorId": made_up_id("oae"),
            "errorCauses": [],
        }


@dataclass
class OktaServer:
    """Serves `directory` to whoever has `token`."""

    token: str
    certificate: Path | None = None
    directory: Directory = field(default_factory=Directory)
    faults: Faults = field(default_factory=Faults)
    requests_seen: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self._door = Door()

    async def start(self) -> None:
        app = web.Application()
        handlers: dict[str, Handler] = {
            "users": self._users,
            "users/{key}": self._user,
            "users/{key}/groups": self._groups_of_user,
            "groups": self._groups,
            "groups/{key}": self._group,
            "apps/{key}": self._app,
        }
        for path, handler in handlers.items():
            app.router.add_get(f"/api/v1/{path}", self._guarded(handler))
        self.url = await self._door.open(app, self.certificate)
        self.directory.url = self.url

    async def stop(self) -> None:
        await self._door.close()

    # -- answering

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            self.requests_seen += 1
            faults = self.faults
            if (instead := await faults.instead(request, self._door, '{"id": "00u')) is not None:
                return instead
            reset = int(time.time() + (faults.reset_after if faults.too_many else 60))
            try:
                self._admit(request)
                found = await handler(request)
            except Refusal as refusal:
                found = web.json_response(refusal.document(), status=refusal.status)
            found.headers.update(
                {
                    "X-Rate-Limit-Limit": str(_LIMIT),
                    "X-Rate-Limit-Remaining": "0" if found.status == 429 else str(_LIMIT - 1),
                    "X-Rate-Limit-Reset": str(reset),
                    "X-Okta-Request-Id": made_up_id("req"),
                }
            )
            return found

        return answer

    def _admit(self, request: web.Request) -> None:
        faults = self.faults
        if faults.status:
            raise Refusal(faults.status, "E0000009", "Internal Server Error")
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind != "SSWS" or faults.revoked or not hmac.compare_digest(value.encode(), self.token.encode()):
            raise Refusal(401, "E0000011", "Invalid token provided")
        if faults.too_many > 0:
            faults.too_many -= 1
            raise Refusal(429, "E0000047", "API call exceeded rate limit due to too many requests.")
        if faults.forbidden or (faults.apps_forbidden and request.path.startswith("/api/v1/apps/")):
            raise Refusal(403, "E0000006", "You do not have permission to perform the requested action")

    async def _users(self, request: web.Request) -> web.Response:
        found = [self.directory.user_document(user) for user in self.directory.users]
        return self._page(request, _searched(found, request.query.get("search", "")))

    async def _user(self, request: web.Request) -> web.Response:
        return web.json_response(self.directory.user_document(self._known_user(request)))

    async def _groups_of_user(self, request: web.Request) -> web.Response:
        groups = self.directory.groups_of(self._known_user(request))
        return self._page(request, [self.directory.group_document(group) for group in groups])

    async def _groups(self, request: web.Request) -> web.Response:
        found = [self.directory.group_document(group) for group in self.directory.groups]
        return self._page(request, _searched(found, request.query.get("search", "")))

    async def _group(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        for group in self.directory.groups:
            if group.id == key:
                return web.json_response(self.directory.group_document(group))
        raise _nothing(key, "UserGroup")

    async def _app(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        if key != self.directory.google:
            raise _nothing(key, "AppInstance")
        return web.json_response(self.directory.app_document())

    def _known_user(self, request: web.Request) -> Any:
        key = request.match_info["key"]
        user = self.directory.user(key)
        if user is None:
            raise _nothing(key, "User")
        return user

    def _page(self, request: web.Request, found: Sequence[Object]) -> web.Response:
        """The part of `found` after the one that `after` names, with links to this page and the next."""
        after = request.query.get("after", "")
        begin = next((number + 1 for number, one in enumerate(found) if one["id"] == after), 0)
        try:
            limit = min(int(request.query.get("limit", "200")), self.faults.most_in_page)
        except ValueError:
            raise Refusal(400, "E0000001", "Api validation failed: limit") from None
        shown = list(found[begin : begin + limit])
        answer = web.json_response(shown)
        here = request.url.with_scheme(self.url.partition(":")[0])
        answer.headers.add("Link", f'<{here}>; rel="self"')
        if begin + limit < len(found):
            answer.headers.add("Link", f'<{here.update_query(after=shown[-1]["id"])}>; rel="next"')
        return answer


def _searched(found: list[Object], search: str) -> list[Object]:
    """Those that a search expression finds; without one all but the deactivated, as Okta lists them."""
    if not search:
        return [one for one in found if one.get("status") != "DEPROVISIONED"]
    terms = [_TERM.fullmatch(term.strip()) for term in search.split(" or ")]
    if None in terms:
        raise Refusal(400, "E0000031", "Invalid search criteria.")
    wanted = [(term[1], re.sub(r"\\(.)", r"\1", term[2]).lower()) for term in terms if term is not None]
    return [one for one in found if any(str(one["profile"].get(name)).lower() == value for name, value in wanted)]


def _nothing(key: str, kind: str) -> Refusal:
    return Refusal(404, "E0000007", f"Not found: Resource not found: {key} ({kind})")
