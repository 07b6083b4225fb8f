"""The colours of pictures: from blue (opposite) over white to red (similar), and one for each line of a plot.

Red and blue are told apart by colour-blind people too, and of both sides equal distance from white is equally dark, so
that neither seems to be more. Nothing is ever said by colour alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.style import Style

Rgb = tuple[int, int, int]

# From -1 to 1 in equal steps. The pairs of both sides have the same lightness (CIE L*) within 1.
SCALE: Final[tuple[Rgb, ...]] = (
    (8, 64, 129),
    (43, 121, 190),
    (140, 187, 224),
    (245, 245, 245),
    (241, 162, 142),
    (207, 70, 58),
    (134, 8, 28),
)
UNKNOWN: Final[Rgb] = (128, 128, 128)
_LIGHT: Final = 55  # CIE L*

# Lines: told apart by colour-blind people, visible on black and on white. After Okabe and Ito, Color Universal Design.
LINES: Final[tuple[Rgb, ...]] = (
    (213, 94, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)


def diverging(value: float | None) -> Rgb:
    """The colour of a similarity from -1 to 1; grey where there is none."""
    if value is None:
        return UNKNOWN
    place = (min(1.0, max(-1.0, value)) + 1) / 2 * (len(SCALE) - 1)
    below = min(int(place), len(SCALE) - 2)
    part = place - below
    red, green, blue = (
        round(a + (b - a) * part) for a, b in zip(SCALE[below], SCALE[below + 1], strict=True)
    )  # fmt: skip
    return red, green, blue


def lightness(colour: Rgb) -> float:
    """CIE L* of an sRGB colour, 0 (black) to 100 (white). IEC 61966-2-1; CIE 15."""
    linear = [c / 3294.6 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * luminance ** (1 / 3) - 16 if luminance > 216 / 24389 else luminance * 24389 / 27


def on(value: float | None) -> Style:
    """A cell's style in a terminal."""
    from rich.color import Color
    from rich.style import Style

    return Style(color=Color.from_rgb(*before(value)), bgcolor=Color.from_rgb(*diverging(value)))


def before(value: float | None) -> Rgb:
    """Black or white, whichever is read more easily before the colour of `value`."""
    return (0, 0, 0) if lightness(diverging(value)) > _LIGHT else (255, 255, 255)


def of_line(number: int) -> Rgb:
    """The colour of a plot's line, counted from 0."""
    return LINES[number % len(LINES)]
