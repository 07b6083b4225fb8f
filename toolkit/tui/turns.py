"""How threads and the collector share the interpreter with the screen, while much is read: a key is answered first."""

from __future__ import annotations

import gc
import sys
from typing import Final

_TURN: Final = 0.001  # seconds; Python's own 5 ms add up where a drawing has to wait for its turn several times
_COLLECT: Final = (20_000, 20, 100)  # a full collection looks at every entry that is kept: tens of milliseconds


def short() -> None:
    """From now on, in this process."""
    sys.setswitchinterval(_TURN)
    gc.set_threshold(*_COLLECT)
