"""The app behind a browser's tab (`toolkit serve`): it ends with its tab, but a change that was begun comes to its end.

Textual ends an app whose tab was closed from outside, and one whose server is gone not at all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolkit.tui.app import ToolkitApp
    from toolkit.tui.operation import Operation

_DRIVER: Final = "textual.drivers.web_driver:"
_OFTEN: Final = 0.1  # seconds between looks at a change that is waited for


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


def let_end(operation: Operation | None) -> None:
    """Wait for a change that is being carried out; one that is only asked about is declined."""
    if operation is None:
        return
    operation.decline()
    while operation.ongoing:
        time.sleep(_OFTEN)
