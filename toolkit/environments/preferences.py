"""How a person likes the terminal app: the table `[tui]`. Which themes and actions there are, the app itself knows."""

from __future__ import annotations

import msgspec

from toolkit.environments.part import Part


class Tui(Part, frozen=True):
    """`theme` by its name (empty: the app's own dark one); `keys` from an action's id to its keys: "h" or "h,f5"."""

    theme: str = ""
    keys: dict[str, str] = msgspec.field(default_factory=dict)
