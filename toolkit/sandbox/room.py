"""What groups of full size take of this machine, and whether it has that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from toolkit import figures
from toolkit.errors import Failed

# Measured: three groups of 1.9 to 2.1 GB as files, and as much in Redis; 1.3 GB in the sandbox's own process. A
# scenario that needs a group built otherwise adds up to 2 GB of files.
FULL_DISK = 9_000_000_000
FULL_MEMORY = 7_500_000_000


def in_words() -> str:
    """Two lines, for before the start."""
    return (
        "The three groups in Redis get full size, 2 GB each; the older two stay small.\n"
        f"This takes one to four minutes, {figures.size(FULL_DISK)} of disk, {figures.size(FULL_MEMORY)} of memory."
    )


def check(folder: Path) -> None:
    """Raises Failed where the disk of `folder` or this machine's memory is too small for groups of full size."""
    free = shutil.disk_usage(folder).free
    if free < FULL_DISK:
        raise Failed(
            f"Groups of full size take {figures.size(FULL_DISK)}; {folder} has {figures.size(free)} left.",
            hint="Make room, name a folder on another disk by TOOLKIT_HOME, or start the small ones.",
        )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if memory < FULL_MEMORY:
        raise Failed(
            f"Groups of full size take {figures.size(FULL_MEMORY)} of memory; this machine has {figures.size(memory)}.",
            hint="Start the small ones: toolkit sandbox start",
        )
