"""From a name to an environment's configuration, starting the sandbox where that is meant. Both faces use it."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.environments import loading
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections

SANDBOXES = {"sandbox": "Sandbox of RP006", "sandbox-mapapp": "Sandbox of MapApp"}
STARTED = "Started the sandbox; it stops by itself after half an hour of quiet."


@dataclass(frozen=True)
class Chosen:
    """The environment that is meant, and the configuration it came from."""

    environment: Environment
    loaded: loading.Loaded

    def connect(self) -> Connections:
        """The environment's systems; each opens when it is first asked for."""
        from toolkit.systems.connections import Connections

        return Connections(self.environment, self.loaded.settings)


def choose(name: str | None, narrate: Callable[[str], None]) -> Chosen:
    """The environment called `name`; without a name the only configured one, else the sandbox, else UsageError.

    `narrate` is told, in a line for people, what was decided or started on the way.
    """
    if name in SANDBOXES:
        return _sandbox(name, narrate)
    loaded = loading.load()
    if not name:
        if not loaded.configured:
            narrate("No environment is configured: this is the sandbox. (`toolkit config init`)")
            return _sandbox(next(iter(SANDBOXES)), narrate)
        if len(loaded.configured) > 1:
            raise UsageError(
                "More than one environment is configured; say which.",
                hint=f"Add --env with one of: {', '.join((*loaded.configured, *SANDBOXES))}. Or set TOOLKIT_ENV.",
            )
        name = loaded.configured[0]
    if name not in loaded.settings.environments:
        known = (*loaded.settings.environments, *SANDBOXES)
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"No environment is called {name!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}.",
        )
    return Chosen(loaded.settings.environments[name], loaded)


def _sandbox(name: str, narrate: Callable[[str], None]) -> Chosen:
    from toolkit.sandbox import client

    running = client.start()
    if running.started_now:
        narrate(STARTED)
    loaded = loading.load(sandbox=running.config_file)
    return Chosen(loaded.settings.environments[name], loaded)
