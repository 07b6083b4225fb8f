"""What time it is for the screens: one place, so that a test can let it stand still."""

from __future__ import annotations

import time


def ticks() -> float:
    """Seconds that only ever go forward; for how old a figure is, and how long something still lives."""
    return time.monotonic()
