"""The programs that a benchmark starts are compiled once, as a person's are."""

from __future__ import annotations

import os


def keep_bytecode() -> None:
    """Some machines tell Python to keep none: all of a program is then compiled anew each time that it starts, which
    doubles the time that is measured, and more so for what it is compared with."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
