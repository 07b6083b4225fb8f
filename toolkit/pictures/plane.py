"""A projection/rejection plot in a terminal: lines of braille dots, a letter at each concentration, the control.

Drawn here and not by a plotting library: those write colours as escape codes of their own, past NO_COLOR and past what
the terminal can show, and a letter cannot be laid over their lines.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from toolkit.pictures.colours import Rgb, of_line

if TYPE_CHECKING:
    from rich.text import Text

Point = tuple[float, float]

CONTROL: Final[Point] = (0.0, 1.0)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column of a character
_MARGIN: Final = 6  # columns left of the plot: the numbers of the axis
_STEP: Final = 0.25


@dataclass(frozen=True)
class Area:
    """What a plot shows: x and y from and to, so that all points, the control and the target's end are inside."""

    left: float
    right: float
    bottom: float
    top: float


def area(points: Sequence[Point]) -> Area:
    """The area around `points`, the control and (1, 0), to whole quarters, with room for a word above the control."""
    xs = [x for x, _ in points] + [-_STEP, 1.0]
    ys = [y for _, y in points] + [0.0, 1.0]
    return Area(_down(min(xs)), -_down(-max(xs)), 0.0, max(1.1, -_down(-max(ys))))


def _down(value: float) -> float:
    return math.floor(value / _STEP) * _STEP


def letter(number: int) -> str:
    """What marks the points of a line, counted from 0; its last point has the capital."""
    return _LETTERS[number % len(_LETTERS)]


def drawn(lines: Sequence[Sequence[Point]], width: int, height: int) -> list[Text]:
    """The lines, each over its points in order, `width` columns wide and `height` lines high, axes included."""
    from rich.text import Text

    seen = area([point for line in lines for point in line])
    sheet = _Sheet(seen, width - _MARGIN - 1, height - 3)
    for number, line in enumerate(lines):
        for start, end in itertools.pairwise(line):
            sheet.line(start, end, of_line(number))
    for number, line in enumerate(lines):
        for at, point in enumerate(line):
            mark = letter(number)
            sheet.text(point, mark.upper() if at == len(line) - 1 else mark, of_line(number))
    sheet.text(CONTROL, "○", None)
    sheet.text((0.0, seen.top), "control", None)
    rows: list[Text] = [Text("rejection", style="dim")]
    ticks = {sheet.row(y): f"{y:.2f}" for y in _ticks(seen.bottom, seen.top)}
    for row, content in enumerate(sheet.rows()):
        tick = Text(f"{ticks.get(row, ''):>{_MARGIN - 1}} ", style="dim")
        rows.append(Text.assemble(tick, ("┤" if row in ticks else "│", "dim"), content))  # + would dim all of it
    rows.append(Text(" " * _MARGIN + "└" + sheet.axis(_ticks(seen.left, seen.right)), style="dim"))
    rows.append(Text(" " * (_MARGIN + 1) + sheet.numbers(_ticks(seen.left, seen.right)), style="dim"))
    return rows


@dataclass
class _Sheet:
    """Characters over an area. Dots are twice as fine across and four times as fine down."""

    area: Area
    width: int
    height: int
    _bits: dict[tuple[int, int], int] = field(default_factory=dict)
    _colours: dict[tuple[int, int], Rgb | None] = field(default_factory=dict)
    _text: dict[tuple[int, int], str] = field(default_factory=dict)

    def line(self, start: Point, end: Point, colour: Rgb) -> None:
        (x0, y0), (x1, y1) = self._dot(start), self._dot(end)
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            x, y = round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
            place = (x // 2, y // 4)
            self._bits[place] = self._bits.get(place, 0) | _DOTS[y % 4][x % 2]
            self._colours[place] = colour

    def text(self, point: Point, words: str, colour: Rgb | None) -> None:
        """Lay words over the place of `point`, in the middle above it."""
        x, y = self._dot(point)
        for at, character in enumerate(words, x // 2 - len(words) // 2):
            if 0 <= at < self.width:
                self._text[at, y // 4] = character
                self._colours[at, y // 4] = colour

    def row(self, y: float) -> int:
        return self._dot((0.0, y))[1] // 4

    def rows(self) -> Iterator[Text]:
        from rich.color import Color
        from rich.style import Style
        from rich.text import Text

        for row in range(self.height):
            line = Text()
            for column in range(self.width):
                place = (column, row)
                dots = chr(_BRAILLE + self._bits[place]) if place in self._bits else " "
                colour = self._colours.get(place)
                style = Style(color=Color.from_rgb(*colour), bold=place in self._text) if colour else Style()
                line.append(self._text.get(place, dots), style=style)
            line.rstrip()
            yield line

    def axis(self, ticks: Sequence[float]) -> str:
        places = {self._dot((x, 0.0))[0] // 2 for x in ticks}
        return "".join("┴" if column in places else "─" for column in range(self.width))

    def numbers(self, ticks: Sequence[float]) -> str:
        """The ticks' values below them."""
        row = [" "] * self.width
        for x in ticks:
            text = f"{x:g}"
            first = min(max(0, self._dot((x, 0.0))[0] // 2 - len(text) // 2), self.width - len(text))
            row[first : first + len(text)] = text
        return "".join(row).rstrip()

    def _dot(self, point: Point) -> tuple[int, int]:
        x = (point[0] - self.area.left) / (self.area.right - self.area.left)
        y = (self.area.top - point[1]) / (self.area.top - self.area.bottom)
        return round(x * (self.width * 2 - 1)), round(y * (self.height * 4 - 1))


def _ticks(first: float, last: float) -> list[float]:
    step = _STEP if last - first <= 2 else _STEP * math.ceil((last - first) / 2)
    return [first + step * number for number in range(int((last - first) / step + 1e-9) + 1)]
