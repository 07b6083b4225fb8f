"""A log file of any size for benchmarks: requests in Python logging's form, a slow one now and then, tracebacks, and
very few lines about one perturbation.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

RARE = "REC-0000123"  # once every block
SLOW = "in 9[0-9]{3} ms"  # about one line of 120
_LINES = 200_000  # of a block, which is repeated
_TRACEBACK = """\
2026-11-24 10:59:12,123 ERROR phenoapp.cache_manager: Cache manager failed
Traceback (most recent call last):
  File "/app/phenoapp/manager.py", line 12, in main
    rebuild(groups)
  File "/app/phenoapp/data.py", line 81, in record_batches
    columns[-1] = columns[-1].cast(fields.field("vector").type)
ValueError: ListType can only be casted
"""


def make(path: Path, size: int) -> None:
    """Write it, unless it is there with at least so many bytes; whole blocks of some 25 MB."""
    if path.exists() and path.stat().st_size >= size:
        return
    block = _block().encode()
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block)


def _block() -> str:
    chance = random.Random(4)
    lines = [_line(number, chance) for number in range(_LINES)]
    lines[_LINES // 2] = lines[_LINES // 2].replace("pert=", f"pert={RARE} was=")
    for at in range(1000, _LINES, 20_000):
        lines[at] = _TRACEBACK
    return "".join(lines)


def _line(number: int, chance: random.Random) -> str:
    took = 9000 + number % 1000 if number % 120 == 0 else chance.randrange(2000)
    return (
        f"2026-11-24 10:{number // 60 % 60:02d}:{number % 60:02d},{number % 1000:03d} INFO phenoapp.requests: "
        f"GET /map/heatmap 200 in {took} ms user=scientist-{chance.randrange(90):02d} "
        f"group=rp006-neuro-{chance.randrange(9)} pert=BRCA{chance.randrange(5000)}\n"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
