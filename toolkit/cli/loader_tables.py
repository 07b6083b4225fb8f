"""What `toolkit loader` shows to people: both sides' settings, the groups, the findings, the plan of a dry run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.cache.loader import beside
from toolkit.cache.loader.beside import Row
from toolkit.cache.loader.sides import Sides
from toolkit.checks import loader
from toolkit.checks.finding import Finding, Status
from toolkit.cli import output
from toolkit.cli.acting import STYLES
from toolkit.cli.diagnostics import printable
from toolkit.cli.output import Column

if TYPE_CHECKING:
    from rich.console import RenderableType

_DIFFERENT = {"- ": "red", "+ ": "green"}
_COMPARED = ("configome: ", "production: ", "  ", "- ", "+ ")
_WIDE = 110  # columns in which both sides fit beside one another, addresses too


def settings(found: Sides) -> list[RenderableType]:
    """Both sides' settings, a row each, with what differs marked."""
    from rich.text import Text

    columns = [
        Column("", lambda row: row.label),
        Column("configome", lambda row: printable(row.configome), style=lambda row: "red" if row.differs else ""),
        Column("production", _production, style=lambda row: "red" if row.differs else ""),
        Column("", lambda row: "✗ differs" if row.differs else "", style=lambda _: "red"),
    ]
    rows = beside.rows(found)
    parts: list[RenderableType] = [output.table(rows, columns), Text()] if rows else []
    for side in (found.configome, found.production):
        parts.append(Text(printable(f"{side.name:<11} {loader.place(side) or 'not configured'}"), style="dim"))
    return parts


def _production(row: Row) -> str:
    """What production says; in a narrow terminal only where it is something else."""
    narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE
    return "the same" if narrow and row.production == row.configome else printable(row.production)


def groups(facts: Mapping[str, Any]) -> list[RenderableType]:
    """The groups that the list makes, and whether they are there."""
    from rich.text import Text

    expected = facts.get("expected") or []
    if not expected:
        return []

    def there(name: str) -> str:
        if name in facts["missing"]:
            return "✗ in no layer"
        if facts["index"] is None:
            return "? Redis is unknown"
        return f"✓ rank {facts['index'].index(name) + 1}" if name in facts["index"] else "! in the bucket alone"

    rows = [(str(number), name, there(name)) for number, name in enumerate(expected, 1)]
    rows += [("-", name, "! made by no transformation") for name in facts["extra"]]
    columns = [
        Column("dropdown", lambda row: row[0], right=True),
        Column("group", lambda row: printable(row[1])),
        Column("there", lambda row: row[2], style=lambda row: {"✗": "red", "✓": "green"}.get(row[2][0], "yellow")),
    ]
    return [Text(), output.table(rows, columns)]


def told(findings: Sequence[Finding], *, compared: bool = False) -> list[RenderableType]:
    """Each finding with its next step; where something is wrong, its evidence too. `compared`: what both sides say is
    shown already."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for one in findings:
        grid.add_row(Text(f"{one.status.sign} {one.name}", style=STYLES[one.status]), printable(one.summary))
        if one.status is Status.OK:
            continue
        for line in map(printable, one.evidence):
            if not (compared and line.startswith(_COMPARED)):
                grid.add_row("", Text(line, style=_DIFFERENT.get(line[:2], "dim")))
        if one.hint:
            grid.add_row("", Text.assemble(("next: ", "bold"), printable(one.hint)))
        for command in one.by_hand:
            grid.add_row("", Text(printable(f"by hand: {command}"), style="dim"))
    return [Text(), grid]


def planned(
    findings: Sequence[Finding], made: Sequence[dict[str, Any]], command: str | None, name: str
) -> list[RenderableType]:
    from rich.text import Text

    parts = [Text("A dry run by hand is safe only if all of this holds:", style="bold"), *told(findings)[1:]]
    if made:
        known = made[0]["group"] is not None
        columns = [
            Column("dropdown", lambda row: str(made.index(row) + 1), right=True),
            Column("transformation", lambda row: printable(row["transformation"])),
            Column("group of the newest release", lambda row: printable(row["group"] or "not known")),
            Column("there now", lambda row: {True: "yes", False: "no", None: "?"}[row["there"]]),
        ]
        parts += [
            Text(),
            Text("It would make, the last transformation first in the dropdown:", style="bold"),
            output.table(made, columns if known else [*columns[:2]]),
        ]
    if command is not None:
        parts += [
            Text(),
            Text("In a clone of phenoapp, in the shell that has these settings:", style="bold"),
            Text(f"  {printable(command)}"),
            Text("Its first lines must say that it is a dry run; if they do not: Ctrl-C.", style="dim"),
            Text(f"Afterwards: toolkit groups list --env {name} (the same names as before)", style="dim"),
        ]
    return list(parts)
