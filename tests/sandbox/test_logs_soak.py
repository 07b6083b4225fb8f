"""Logs that are cut again and again, in every way: nothing lost, nothing doubled, every gap marked.

A small soak; TOOLKIT_SOAK_CUTS=100 makes it the full one. tests/benchmarks/logs_soak.py does the same with figures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from noisy_cluster import Noise, noisy_cluster, soak

CUTS = int(os.environ.get("TOOLKIT_SOAK_CUTS", "4"))
PODS = 20 if CUTS > 4 else 8
PATIENCE = 60.0 + 15 * CUTS


@pytest.mark.timeout(PATIENCE + 60)
def test_nothing_is_lost_or_doubled_and_what_the_server_forgot_is_marked(tmp_path: Path) -> None:
    faults = {"cut_times": CUTS, "cut_within": 300, "cut_seed": 7}
    with noisy_cluster(tmp_path, Noise(PODS, PODS * 200, faults, forget=1.0, seed=7)) as noisy:
        done = soak(noisy, PODS, PODS * CUTS, PATIENCE)
    assert done.complete, done
    assert done.cuts >= PODS * CUTS
    assert (done.count.lost, done.count.doubled) == (0, 0), done
    assert done.count.lines + done.count.marked == done.written
