"""A soak: 20 logs are followed, each of which is cut 100 times at random points: by reset, by half-close, by an end
that is none, by silence. No line may be lost or doubled; where the server has forgotten some meanwhile, that is marked.

    uv run python tests/benchmarks/logs_soak.py [CUTS]

The second round lets the server forget what it has, again and again.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from noisy_cluster import Noise, noisy_cluster, peak_megabytes, soak

PODS, CUTS, RATE = 20, 100, 4000
PATIENCE = 900.0  # seconds


def round_of(name: str, cuts: int, forget: float) -> bool:
    """One round; whether nothing was lost without a mark, and nothing doubled."""
    noise = Noise(PODS, RATE, {"cut_times": cuts, "cut_within": 1000}, forget=forget)
    with tempfile.TemporaryDirectory() as directory, noisy_cluster(Path(directory), noise) as noisy:
        done = soak(noisy, PODS, PODS * cuts, PATIENCE)
    count = done.count
    kinds = Counter(notice.kind.value for notice in count.notices)
    print(f"{name}: {done.cuts:,} cuts in {done.seconds:.0f} s, {done.written:,} lines written, {count.lines:,} read")
    print(f"  lost {count.lost:,}, doubled {count.doubled:,}, missing behind a mark {count.marked:,}")
    print(f"  notices: {', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items())) or 'none'}")
    return done.complete and not count.lost and not count.doubled


def main() -> None:
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else CUTS
    print(f"Python {platform.python_version()}, {PODS} pods, each cut {cuts} times")
    well = round_of("a server that remembers", cuts, 0.0)
    well = round_of("a server that forgets", cuts, 0.5) and well
    print(f"{peak_megabytes():.0f} MB at most: {'kept' if well else 'NOT KEPT'}")
    raise SystemExit(not well)


if __name__ == "__main__":
    main()
