"""The daemon's own door: an HTTP API on loopback, for those who know the token in world.json.

`GET /v1/status`, `POST /v1/scenario` ({names, environment, drill}; with a drill's id the names are kept back until
`POST /v1/reveal`), `POST /v1/faults` ({system, set: {fault: value}}; without `set` it is healed), `POST /v1/noise`
({environment, rate, seconds, pods}), `POST /v1/stop`.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from toolkit.errors import ToolkitError, UsageError
from toolkit.sandbox.web_server import Door
from toolkit.sandbox.world import World

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Control:
    """Answers for `world`. `stop` is called when somebody asks for the end; `calls` counts the questions.

    `about` gives what the daemon itself has to say in a status.
    """

    def __init__(self, world: World, token: str, stop: Callable[[], None], about: Callable[[], dict[str, Any]]) -> None:
        self.calls = 0
        self.busy = 0
        self.url = ""
        self._world, self._token, self._stop, self._about = world, token, stop, about
        self._door = Door()

    async def start(self) -> None:
        app = web.Application()
        handlers: dict[tuple[str, str], Handler] = {
            ("GET", "/v1/status"): self._status,
            ("POST", "/v1/scenario"): self._scenario,
            ("POST", "/v1/reveal"): self._reveal,
            ("POST", "/v1/faults"): self._faults,
            ("POST", "/v1/noise"): self._noise,
            ("POST", "/v1/stop"): self._end,
        }
        for (method, path), handler in handlers.items():
            app.router.add_route(method, path, self._guarded(handler))
        self.url = await self._door.open(app)

    async def close(self) -> None:
        await self._door.close()

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                return web.json_response({"message": "not for you"}, status=403)
            self.calls += 1
            self.busy += 1
            try:
                body = json.loads(await request.read() or b"{}")
                if not isinstance(body, dict):
                    raise UsageError("The body has to be a JSON object.")
                return web.json_response(await handler(body))
            except (ValueError, TypeError) as error:
                return web.json_response({"message": f"That cannot be read: {error}"}, status=400)
            except ToolkitError as error:
                return web.json_response({"message": error.message, "hint": error.hint}, status=400)
            finally:
                self.busy -= 1

        return answer

    async def _status(self, body: dict[str, Any]) -> dict[str, Any]:
        del body
        return {**self._about(), **self._world.status()}

    async def _scenario(self, body: dict[str, Any]) -> dict[str, Any]:
        names = [str(name) for name in body.get("names", [])]
        await self._world.apply(names, str(body.get("environment") or ""), str(body.get("drill") or ""))
        return await self._status({})

    async def _reveal(self, body: dict[str, Any]) -> dict[str, Any]:
        """The drill is over."""
        self._world.reveal()
        return await self._status(body)

    async def _faults(self, body: dict[str, Any]) -> dict[str, Any]:
        """Switch something wrong with one system, or heal it."""
        settings = body.get("set")
        if not isinstance(settings, dict | None):
            raise UsageError("`set` has to be a JSON object.")
        await self._world.set_faults(str(body.get("system")), settings)
        return {"system": body["system"], "set": settings}

    async def _noise(self, body: dict[str, Any]) -> dict[str, Any]:
        """Let the app's pods write more than they would."""
        rate, seconds, pods = float(body["rate"]), float(body.get("seconds", 60)), int(body.get("pods", 3))
        return self._world.make_noise(str(body.get("environment") or ""), rate, seconds, pods)

    async def _end(self, body: dict[str, Any]) -> dict[str, Any]:
        del body
        self._stop()
        return {"stopping": True}
