"""Argo CD's REST API, after the API reference (swagger.json) and the user manual of Argo CD 3.

It has `GET /api/v1/applications/NAME`, `POST …/NAME/sync` and `/api/version`. What an application says is worked out
at each question: from the Git repository's trunk and from the cluster's objects (application.py); Argo CD's own memory
is only what it synced, and when. Errors are grpc-gateway's. It leaves out: lists, streams, refresh (each answer is
fresh), hooks, pruning, dry runs, selective syncs, several sources, RBAC beyond one token, logins.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from toolkit.sandbox import repository
from toolkit.sandbox.argocd.application import PROJECT, Synced, application, apply
from toolkit.sandbox.web_server import Door, WebFaults

if TYPE_CHECKING:
    from toolkit.sandbox.sites import Site

VERSION: Final = "v3.1.8"
_AFTER_COMMIT: Final = timedelta(minutes=7)  # so long after a commit somebody pressed Sync


@dataclass
class Faults(WebFaults):
    """Besides: expired: the token's time is over. denied: the token may not see applications."""

    expired: bool = False
    denied: bool = False


class Refusal(Exception):
    """Answered as grpc-gateway answers: with the HTTP code that belongs to gRPC's `code`."""

    def __init__(self, http: int, code: int, text: str) -> None:
        super().__init__(text)
        self.http, self.code = http, code


class ArgoCDServer:
    """Has one application for each of `sites`, out of the repository in `directory`; whoever has `token` may see and
    sync them all."""

    def __init__(self, directory: Path, sites: Iterable[Site], token: str, certificate: Path | None = None) -> None:
        self.directory = directory
        self.sites = {site.place.argocd_application: site for site in sites}
        self.token = token
        self.certificate = certificate
        self.faults = Faults()
        self.requests_seen = 0
        self.url = ""
        self._history: dict[str, list[Synced]] = {}
        self._door = Door()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/version", self._guarded(self._version, anybody=True))
        app.router.add_get("/api/v1/applications/{name}", self._guarded(self._get))
        app.router.add_post("/api/v1/applications/{name}/sync", self._guarded(self._sync))
        self.url = await self._door.open(app, self.certificate)

    async def stop(self) -> None:
        await self._door.close()

    # -- what it remembers

    def reset(self) -> None:
        """Each commit to a manifest was synced a few minutes after it was made."""
        for name, site in self.sites.items():
            changes = repository.changes_of(self.directory, site.place.manifest)
            self._history[name] = [Synced(commit, at + _AFTER_COMMIT) for commit, at in changes]

    def synced(self, site: Site) -> None:
        """Remember that trunk's newest commit was synced just now."""
        revision = repository.head(self.directory)
        self._history[site.place.argocd_application].append(Synced(revision, datetime.now(UTC)))

    # -- answering

    def _guarded(self, handler: Any, *, anybody: bool = False) -> Any:
        async def answer(request: web.Request) -> web.StreamResponse:
            self.requests_seen += 1
            faults = self.faults
            if (instead := await faults.instead(request, self._door, '{"metadata": {"na')) is not None:
                return instead
            try:
                if faults.status:
                    raise Refusal(faults.status, 14, "this Argo CD has a fault switched on")
                if not anybody:
                    self._admit(request)
                found: web.StreamResponse = await handler(request)
            except Refusal as refusal:
                body = {"error": str(refusal), "code": refusal.code, "message": str(refusal)}
                return web.json_response(body, status=refusal.http)
            return found

        return answer

    def _admit(self, request: web.Request) -> None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not given:
            raise Refusal(401, 16, "no session information")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Refusal(401, 16, "invalid session: failed to verify the token")
        if self.faults.expired:
            raise Refusal(401, 16, "invalid session: token has invalid claims: token is expired")

    def _site(self, request: web.Request) -> Site:
        """The application's. Without a project, what does not exist is answered as what one may not see."""
        name, project = request.match_info["name"], request.query.get("project", "")
        site = self.sites.get(name)
        if self.faults.denied or (site is None and project != PROJECT):
            raise Refusal(403, 7, "permission denied")
        if site is None or project not in ("", PROJECT):
            raise Refusal(404, 5, f'applications.argoproj.io "{name}" not found')
        return site

    async def _version(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"Version": VERSION})

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(await self._described(self._site(request)))

    async def _sync(self, request: web.Request) -> web.Response:
        """Applies trunk's manifest to the cluster. Real Argo CD answers before it has done so."""
        site = self._site(request)
        revision = await asyncio.to_thread(repository.head, self.directory)
        declared = await asyncio.to_thread(repository.declared_at, self.directory, site.manifest)
        if declared is None:
            raise Refusal(400, 9, f"{site.manifest}: app path does not exist")
        apply(site, declared)
        self._history[site.place.argocd_application].append(Synced(revision, datetime.now(UTC)))
        return web.json_response(await self._described(site))

    async def _described(self, site: Site) -> dict[str, Any]:
        revision = await asyncio.to_thread(repository.head, self.directory)
        declared = await asyncio.to_thread(repository.declared_at, self.directory, site.manifest)
        return application(site, self.directory, declared, revision, self._history[site.place.argocd_application])
