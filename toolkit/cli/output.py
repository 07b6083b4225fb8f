"""Data, on stdout: the only module that writes there.

Rows and documents in four forms: a table for people; json and jsonl for programs, stable; plain (tab-separated, no
headings) for cut and awk. rich is imported only when a table is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.secret import Secret, scrub

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    PLAIN = "plain"


@dataclass(frozen=True)
class Column:
    """A column of a table: `cell` gives the text for one row. Only `plain` and `table` know columns.

    `plain` gives the text for the plain format, where that should be bare (bytes as a number, times as RFC 3339).
    """

    title: str
    cell: Callable[[Any], str]
    plain: Callable[[Any], str] | None = None
    right: bool = False
    style: Callable[[Any], str] | None = None


def rows(items: Sequence[object], columns: Sequence[Column], form: Format, *, empty: str = "Nothing there.") -> None:
    """Print `items` (dataclasses, structs or dicts; JSON shows all their fields) one a row.

    `empty` is what a person reads when there is none.
    """
    match form:
        case Format.JSON:
            _write(_json(list(items)))
        case Format.JSONL:
            for item in items:
                _write(_line(item))
        case Format.PLAIN:
            for item in items:
                _write("\t".join(_bare((column.plain or column.cell)(item)) for column in columns))
        case Format.TABLE:
            if not items:
                _write(empty)
            else:
                _draw(table(items, columns))


def document(item: object, form: Format, draw: Callable[[], RenderableType | Sequence[RenderableType]]) -> None:
    """Print one value: as JSON for programs, else as `draw()` (rich renderables) shows it to people."""
    match form:
        case Format.JSON:
            _write(_json(item))
        case Format.JSONL:
            _write(_line(item))
        case _:
            drawn = draw()
            for part in [drawn] if isinstance(drawn, str) or not isinstance(drawn, Sequence) else drawn:
                _draw(part)


def text(line: str) -> None:
    """Print one line of data as it is."""
    _write(line)


def block(lines: Sequence[str]) -> None:
    """Print lines for people, many at once."""
    if lines:
        _write("\n".join(lines).encode("utf-8", "replace").decode())


def raw(lines: Sequence[str]) -> None:
    """Print lines exactly as they were written, bytes that are no UTF-8 too; but a terminal gets no control
    characters."""
    if not lines:
        return
    if sys.stdout.isatty():
        from toolkit.cli.diagnostics import printable

        block([printable(part) for line in lines for part in line.split("\n")])
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(scrub("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def objects(items: Sequence[object]) -> None:
    """Print one object a line, many at once."""
    if items:
        _write("\n".join(map(_line, items)))


def secret(value: Secret) -> None:
    """Print a secret, because the user asked to see it."""
    sys.stdout.write(value.reveal() + "\n")
    sys.stdout.flush()


def table(items: Sequence[Any], columns: Sequence[Column]) -> RenderableType:
    """`items` as a rich table."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for item in items:
        cells = []
        for column in columns:
            style = column.style(item) if column.style else ""
            cells.append(Text(scrub(column.cell(item)), style=style))
        drawn.add_row(*cells)
    return drawn


def pairs(items: Sequence[tuple[str, str]]) -> RenderableType:
    """Label and value, one pair a line, aligned."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for label, value in items:
        grid.add_row(label, Text(scrub(value)))
    return grid


def console() -> Console:
    """A rich console on stdout: colours only on a terminal, never cut at 80 columns when piped."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    return Console(file=sys.stdout, width=1000 if piped else None, highlight=False, soft_wrap=False, markup=False)


def _draw(drawn: RenderableType) -> None:
    out = console()
    if sys.stdout.isatty():
        out.print(drawn)
        return
    with out.capture() as captured:
        out.print(drawn)
    _write("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def _write(line: str) -> None:
    sys.stdout.write(scrub(line) + "\n")
    sys.stdout.flush()


def _json(item: object) -> str:
    return msgspec.json.format(msgspec.json.encode(item, enc_hook=_encode), indent=2).decode()


def _line(item: object) -> str:
    return msgspec.json.encode(item, enc_hook=_encode).decode()


def _encode(value: object) -> object:
    if isinstance(value, Secret):
        return value.fingerprint()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _bare(cell: str) -> str:
    return cell.replace("\t", " ").replace("\n", " ")
