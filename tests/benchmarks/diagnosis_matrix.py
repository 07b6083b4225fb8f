"""Every scenario of the sandbox alone, and every pair that can be true at once: which causes `why` names.

    uv run python tests/benchmarks/diagnosis_matrix.py [SCENARIO...]     only the pairs with one of these

Prints the table of docs/why.md. It takes some minutes, and a sandbox of its own.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from typing import Any

from toolkit.checks.diagnosis import asking
from toolkit.checks.diagnosis.cause import Asked
from toolkit.checks.diagnosis.verdict import verdict
from toolkit.errors import UsageError
from toolkit.opening import choose
from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS, chosen


def main() -> None:
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home:
        os.environ["TOOLKIT_HOME"] = home
        client.start(rebuild_seconds=2.0)
        try:
            cells = {names: cell(names) for names in cases(only)}
        finally:
            client.stop()
    table(cells)
    wrong = {names: text for names, text in cells.items() if text != "✓"}
    print(f"\n{len(cells) - len(wrong)} of {len(cells)} as they should be")
    for names, text in wrong.items():
        print(f"- {' and '.join(names)}: {text}")


def cases(only: list[str]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [(name,) for name in SCENARIOS]
    for pair in itertools.combinations(SCENARIOS, 2):
        try:
            chosen(pair)
        except UsageError:
            continue
        found.append(pair)
    return [names for names in found if not only or set(only) & set(names)]


def cell(names: tuple[str, ...]) -> str:
    """✓, or what is missing (-) and what is named though it is not true (+)."""
    begun = time.monotonic()
    symptoms = client.apply_scenario(list(names))["symptoms"]
    found = {cause for symptom in symptoms for cause in causes(symptom)}
    print(f"{' + '.join(names)}: {time.monotonic() - begun:.1f} s", file=sys.stderr)
    missed, more = sorted(set(names) - found), sorted(found - set(names))
    return ", ".join([*(f"-{name}" for name in missed), *(f"+{name}" for name in more)]) or "✓"


def causes(symptom: dict[str, Any]) -> list[str]:
    connections = choose("sandbox", lambda _: None).connect()
    try:
        who = symptom["who"] if "@" in symptom["who"] else ""
        asked = Asked(symptom["pert"] or "", symptom["group"] or "", who=who)
        findings = {finding.name: finding for finding in asking.findings(connections, asked)}
    finally:
        connections.close()
    return [one.cause.name for one in verdict(asked, findings).causes]


def table(cells: dict[tuple[str, ...], str]) -> None:
    names = list(SCENARIOS)
    numbers = " | ".join(str(number) for number in range(1, len(names) + 1))
    print(f"| | | {numbers} |\n|---|---|{'---|' * len(names)}")
    for number, row in enumerate(names, 1):
        marks = []
        for column in names:
            key = (row,) if row == column else tuple(sorted((row, column), key=names.index))
            text = cells.get(key)
            marks.append("" if text is None else "✓" if text == "✓" else "✗")
        print(f"| {number} | {row} | {' | '.join(marks)} |")


if __name__ == "__main__":
    main()
