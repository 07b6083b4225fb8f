"""An environment while it is open in the app: what it is, the way to its systems, and who is looking."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.tui import background, looks
from toolkit.tui.clock import ticks
from toolkit.tui.opener import Choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.environments.model import Environment
    from toolkit.systems.connections import Connections
    from toolkit.systems.vault import TokenStatus
    from toolkit.tui.core import Core
    from toolkit.tui.transfer import Transfer

_YES = frozenset({"1", "true", "t", "yes", "y", "on"})


def whoever() -> str:
    """The person at this workstation, as the journal writes them."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return socket.gethostname()


@dataclass
class Session:
    """One open environment. `token` is what Vault last said about our token; `token_at` when (monotonic seconds).
    `transfers` are the downloads that this app began, those of environments that were open before among them."""

    choice: Choice
    connections: Connections
    core: Core
    who: str = field(default_factory=whoever)
    token: TokenStatus | None = None
    token_at: float = 0.0
    transfers: list[Transfer] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        return self.connections.environment

    @property
    def read_only(self) -> bool:
        """Whether anything says that nothing may be changed from here."""
        return (
            self.choice.read_only
            or self.environment.read_only
            or self.connections.settings.read_only
            or os.environ.get("TOOLKIT_READ_ONLY", "").lower() in _YES
        )

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that its parts live in, each once."""
        environment = self.environment
        parts = (environment.app, environment.cache_manager, environment.redis_proxy)
        return tuple(dict.fromkeys(part.cluster for part in parts if part.cluster))

    @property
    def protected(self) -> bool:
        return self.choice.protected or self.environment.protected

    @property
    def sandbox(self) -> bool:
        return self.choice.kind == "sandbox" or self.environment.kind == "sandbox"

    @property
    def token_seconds(self) -> float | None:
        """How long the Vault token still lives; None where it is not known, or lives for ever."""
        if self.token is None or self.token.ttl_seconds is None:
            return None
        return max(0.0, self.token.ttl_seconds - (ticks() - self.token_at))

    def looked(self, words: str, code: int = 0, *, by_itself: bool = False) -> None:
        """Somebody has seen what the command of these words shows; it counts in a drill. `code` is the command's."""
        looks.note(self.environment.name, words, code, by_itself=by_itself)

    @property
    def going(self) -> list[Transfer]:
        """The downloads that go on."""
        return [transfer for transfer in self.transfers if not transfer.over]

    def begin(self, transfer: Transfer) -> Transfer:
        """Begin it; gives back the one that goes on already, where that is the same."""
        for one in self.going:
            if (one.environment, one.name, one.to) == (transfer.environment, transfer.name, transfer.to):
                return one
        self.transfers.append(transfer)
        transfer.start()
        return transfer

    def repeat(self, transfer: Transfer, *, overwrite: bool = False) -> None:
        """Do the same once more, in its place."""
        again = transfer.anew(overwrite=overwrite)
        self.transfers[self.transfers.index(transfer)] = again
        again.start()

    @property
    def own(self) -> list[Transfer]:
        """The downloads of this environment: they need its systems, also to be gone on with."""
        return [transfer for transfer in self.transfers if transfer.environment == self.environment.name]

    def close(self) -> None:
        """Let the systems go, without waiting: one that hangs must not hold up anybody."""
        for transfer in self.own:
            transfer.stop()
        background.start(_quietly(self.connections.close), "close connections")


def _quietly(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - nobody is left to hear of it; a bug is kept on file
            background.as_problem(error)

    return run
