"""A matrix of similarities in a terminal: coloured cells with their numbers, as exact as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from toolkit.pictures.colours import on

if TYPE_CHECKING:
    from rich.text import Text

_LONGEST_LABEL: Final = 26
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class _Form:
    """How wide a cell is, and how exact: 2, 1 or (as tenths, one digit) 0 decimals."""

    width: int
    decimals: int


_FORMS: Final = (_Form(7, 2), _Form(6, 2), _Form(5, 1), _Form(4, 0), _Form(3, 0))


def drawn(labels: Sequence[str], matrix: Sequence[Sequence[float | None]], width: int) -> list[Text]:
    """The matrix with a line for each row, `width` columns wide. Columns that do not fit beside each other stand below,
    in parts: no cell is left out."""
    from rich.text import Text

    numbered, margin, form = _layout(labels, width)
    fits = max(1, (width - margin) // form.width)
    lines: list[Text] = []
    for first in range(0, len(labels), fits):
        last = min(first + fits, len(labels))
        if fits < len(labels):
            lines += [Text()] if lines else []
            lines.append(Text(f"columns {first + 1} to {last} of {len(labels)}", style="dim"))
        heading = "".join(f"{number + 1:^{form.width}}" for number in range(first, last))
        lines.append(Text(" " * margin + heading.rstrip(), style="bold"))
        for label, row in zip(numbered, matrix, strict=True):
            line = Text(_fitted(label, margin - _GAP).ljust(margin))
            for value in row[first:last]:
                line.append(f"{cell(value, form.decimals):^{form.width}}", style=on(value))
            lines.append(line)
    return lines


def legend(labels: Sequence[str], width: int) -> Text:
    """What the colours and numbers of a matrix with these labels mean."""
    from rich.text import Text

    form = _layout(labels, width)[2]
    text = Text("opposite ")
    for value in (-1.0, -0.5, 0.0, 0.5, 1.0):
        text.append(f"{cell(value, form.decimals):^{max(form.width, 4)}}", style=on(value))
    text.append(" similar (red)")
    if not form.decimals:
        text.append("; in tenths: +8 is 0.8, ■ is 1")
    return text


def _layout(labels: Sequence[str], width: int) -> tuple[list[str], int, _Form]:
    """The labels with their numbers, the columns that they take, and the widest cells of which all fit."""
    numbered = [f"{number:>{len(str(len(labels)))}} {label}" for number, label in enumerate(labels, 1)]
    margin = min(_LONGEST_LABEL, max(map(len, numbered), default=0)) + _GAP
    fitting = (form for form in _FORMS if form.width * len(labels) <= width - margin)
    return numbered, margin, next(fitting, _FORMS[-1])


def cell(value: float | None, decimals: int) -> str:
    """A similarity as text, always with its sign: +0.83, +0.8, or +8 in tenths (■ is 1)."""
    if value is None:
        return "?"
    if decimals:
        text = f"{value:+.{decimals}f}"
        return text.replace("-", " ").replace("+", " ") if float(text) == 0 else text
    tenths = round(abs(value) * 10)
    sign = "-" if value < 0 else "+"
    return f"{sign}■" if tenths == 10 else f"{sign}{tenths}" if tenths else " 0"


def _fitted(label: str, width: int) -> str:
    return label if len(label) <= width else label[: width - 1] + "…"
