"""From the name that was typed to an open environment."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.cli import diagnostics
from toolkit.environments import loading
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections

SANDBOXES = ("sandbox", "sandbox-mapapp")


@dataclass(frozen=True)
class Chosen:
    """The environment that a command is about, and the configuration it came from."""

    environment: Environment
    loaded: loading.Loaded

    @property
    def read_only(self) -> bool:
        return self.environment.read_only or self.loaded.settings.read_only


def choose(name: str | None) -> Chosen:
    """The environment called `name`; without a name the only configured one, else the sandbox, else UsageError."""
    if name in SANDBOXES:
        return _sandbox(name)
    loaded = loading.load()
    if not name:
        if not loaded.configured:
            diagnostics.narrate("No environment is configured: this is the sandbox. (`toolkit config init`)", "dim")
            return _sandbox(SANDBOXES[0])
        if len(loaded.configured) > 1:
            raise UsageError(
                "More than one environment is configured; say which.",
                hint=f"Add --env with one of: {', '.join((*loaded.configured, *SANDBOXES))}. Or set TOOLKIT_ENV.",
            )
        name = loaded.configured[0]
    known = (*loaded.settings.environments, *SANDBOXES)
    if name not in loaded.settings.environments:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"No environment is called {name!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}.",
        )
    return Chosen(loaded.settings.environments[name], loaded)


def _sandbox(name: str) -> Chosen:
    from toolkit.sandbox import client

    running = client.start()
    if running.started_now:
        diagnostics.narrate("Started the sandbox; it stops by itself after half an hour of quiet.", "dim")
    loaded = loading.load(sandbox=running.config_file)
    return Chosen(loaded.settings.environments[name], loaded)


@contextmanager
def opened(name: str | None) -> Iterator[Connections]:
    """The chosen environment's systems, opened lazily, closed at the end."""
    from toolkit.systems.connections import Connections

    chosen = choose(name)
    connections = Connections(chosen.environment, chosen.loaded.settings)
    try:
        yield connections
    finally:
        connections.close()
