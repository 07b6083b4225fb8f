"""What the terminal app needs from whoever starts it: the environments to choose from, and a way to open one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from toolkit.drills.course import Stage
    from toolkit.environments.preferences import Tui
    from toolkit.systems.connections import Connections


@dataclass(frozen=True, slots=True)
class Choice:
    """An environment that can be opened. `missing` are dotted names of configuration keys that are still empty;
    `cache_manager` is the cluster its cache manager runs in (empty: not known before it is opened)."""

    name: str
    title: str = ""
    kind: Literal["real", "sandbox"] = "real"
    protected: bool = False
    read_only: bool = False
    missing: tuple[str, ...] = ()
    cache_manager: str = ""


class Opener(Protocol):
    """Knows the environments. Its methods may block and may raise ToolkitError; the app calls them in threads."""

    def choices(self) -> Sequence[Choice]:
        """Every environment there is, in the order to show them."""
        ...

    def preferences(self) -> Tui:
        """What the person likes: theme and keys."""
        ...

    def open(self, name: str) -> Connections:
        """The systems of the environment `name`. May start the sandbox, which takes seconds."""
        ...

    def stage(self, narrate: Callable[[str], None]) -> Stage:
        """The sandbox as a drill's stage; `narrate` is told, in a line for people, what it does."""
        ...
