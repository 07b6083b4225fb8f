"""The app behind a browser's tab (`toolkit serve`). Textual ends an app whose tab was closed, and one whose server is
gone not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp

_DRIVER: Final = "textual.drivers.web_driver:"


def meant() -> bool:
    """Whether this process was started to draw in a browser: it needs no terminal then."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith(_DRIVER)


def watch_server(app: ToolkitApp) -> Callable[[], None]:
    """What is to be called now and then: ends the app when the server that started it is gone."""
    server = os.getppid()

    def look() -> None:
        if os.getppid() != server:
            app.exit()

    return look
