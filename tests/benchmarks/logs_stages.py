"""The part of logs.py about what each step costs: a process of its own, which prints a line of JSON for each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

from toolkit.logs.entry import Line, Stream

_LINES = 200_000
_PODS = 20
_TEXT = (
    "2026-11-24 10:59:12,123 INFO phenoapp.requests: GET /map/heatmap 200 in 131 ms user=scientist-07 "
    "group=rp006-neuro-3 pert=BRCA"
)


def main() -> None:
    from toolkit.logs.filters import Filter
    from toolkit.logs.merging import Reordering, merged
    from toolkit.logs.reading import read
    from toolkit.logs.tracebacks import Folding

    streams = [Stream("pods", f"noisy/phenoapp/noisy-{pod:02d}/main", f"noisy-{pod:02d}") for pod in range(_PODS)]
    begin = time.time_ns() - 10**10
    lines = [
        Line(begin + number * 20_000, f"{_TEXT}{number // _PODS}", streams[number % _PODS]) for number in range(_LINES)
    ]
    apart = [lines[pod::_PODS] for pod in range(_PODS)]
    folded = Folding(("phenoapp",)).add(lines)
    literal, pattern = Filter.typed(grep=["TP53"]), Filter.typed(grep=["in 9[0-9]+ ms"], level="info")

    def reordered() -> None:
        reordering = Reordering(0.5)
        for of_one in apart:
            reordering.add(of_one, 0.0)
        assert len(reordering.due(1.0, everything=True)) == _LINES

    _timed("read", lambda: [read(line) for line in lines])
    _timed("read and fold", lambda: Folding(("phenoapp",)).add(lines))
    _timed("filter, a literal", lambda: [literal.keeps(entry) for entry in folded])
    _timed("filter, level and regex", lambda: [pattern.keeps(entry) for entry in folded])
    _timed("merge, past", lambda: [*merged([iter(one) for one in apart])])
    _timed("merge, live", reordered)
    _timed("draw", lambda: _draw(folded))


def _draw(entries: list[Any]) -> None:
    from toolkit.cli.log_lines import Lines
    from toolkit.cli.output import Format

    lines = Lines(Format.TABLE, UTC)
    for entry in entries:
        lines._drawn(entry)


def _timed(what: str, do: Callable[[], object]) -> None:
    began = time.process_time()
    do()
    print(json.dumps({"what": what, "seconds": time.process_time() - began, "lines": _LINES}))


if __name__ == "__main__":
    main()
