"""The way from any widget to the app it lives in, with the app's own type."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

    from toolkit.tui.app import ToolkitApp


def house(node: MessagePump) -> ToolkitApp:
    """The app that `node` lives in."""
    return cast("ToolkitApp", node.app)
