"""The same pictures as files: PNG or SVG, by matplotlib, which is imported only here. Never half a file."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit.errors import Failed, Refused, UsageError
from toolkit.pictures.colours import SCALE, UNKNOWN, Rgb, before, of_line
from toolkit.pictures.matrix import cell
from toolkit.pictures.plane import CONTROL, Point, area
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS: Final = (".png", ".svg")
_MOST_NUMBERS: Final = 40  # rows up to which cells hold their numbers, and rows have names that can be read
_LARGEST: Final = 60.0  # inches

# Text stays text, and two runs give the same bytes; a "$" in a name begins no formula.
_SETTINGS: Final = {"svg.fonttype": "none", "svg.hashsalt": "toolkit", "text.parse_math": False}


def check(file: Path, *, overwrite: bool) -> None:
    """Before anything is read: whether a picture can be written there. Raises UsageError, Refused."""
    name = shown(str(file))
    if file.suffix.lower() not in KINDS:
        raise UsageError(f"{name} is no kind of picture that is known here.", hint="Call it .png or .svg.")
    if not file.parent.is_dir():
        raise UsageError(f"There is no folder {shown(str(file.parent))}.", hint="Make it first, or name another.")
    if file.is_dir():
        raise UsageError(f"{name} is a folder.", hint="Name a file in it.")
    if file.exists() and not overwrite:
        raise Refused(f"{name} is there already.", hint="--overwrite replaces it; or name another file.")


def save(file: Path, draw: Callable[[Figure], None], *, overwrite: bool = False) -> None:
    """Write what `draw` puts on a figure. Raises as `check` does, and Failed where the file cannot be written."""
    check(file, overwrite=overwrite)
    content = _content(file.suffix.lower().removeprefix("."), draw)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        check(file, overwrite=overwrite)
        Path(temporary).replace(file)
    except OSError as error:
        raise Failed(f"{shown(str(file))} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            Path(temporary).unlink()


def heatmap(labels: Sequence[str], matrix: Sequence[Sequence[float | None]], title: str) -> Callable[[Figure], None]:
    """A heatmap of similarities from -1 (blue) to 1 (red)."""

    def draw(figure: Figure) -> None:
        side = min(_LARGEST, max(4.0, 0.42 * len(labels) + 1.5))
        figure.set_size_inches(side + 2.2, side + 0.6)
        axes = figure.subplots()
        image = _matrix(axes, labels, matrix)
        bar = figure.colorbar(image, ax=axes, shrink=0.7, ticks=[-1, -0.5, 0, 0.5, 1])
        bar.set_label("cosine similarity: red similar, blue opposite")
        axes.set_title(title, fontsize=9)

    return draw


def strips(
    blocks: Sequence[tuple[str, Sequence[str], Sequence[Sequence[float | None]]]], title: str
) -> Callable[[Figure], None]:
    """Several heatmaps beside each other: (title, labels, matrix) each."""

    def draw(figure: Figure) -> None:
        across = min(4, len(blocks))
        down = -(-len(blocks) // across)
        side = min(8.0, max(2.4, 0.42 * max(len(labels) for _, labels, _ in blocks) + 1.2))
        figure.set_size_inches(min(_LARGEST, side * across + 1), min(_LARGEST, (side + 0.4) * down + 0.5))
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.flat[len(blocks) :]:
            axes.set_axis_off()
        image = None
        for axes, (name, labels, matrix) in zip(grid.flat, blocks, strict=False):
            image = _matrix(axes, labels, matrix)
            axes.set_title(name, fontsize=8)
        if image is not None:
            figure.colorbar(image, ax=grid.ravel().tolist(), shrink=0.7, ticks=[-1, -0.5, 0, 0.5, 1])
        figure.suptitle(title, fontsize=9)

    return draw


def plane(
    lines: Sequence[tuple[str, Sequence[tuple[Point, str]]]], target: str, title: str
) -> Callable[[Figure], None]:
    """A projection/rejection plot: each line (name, points), each point with what is written beside it."""

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Arc

        seen = area([point for _, points in lines for point, _ in points])
        figure.set_size_inches(7, 1.2 + 6 * min(2.0, (seen.top - seen.bottom) / (seen.right - seen.left)))
        axes = figure.subplots()
        axes.add_patch(Arc((0, 0), 2, 2, theta1=0, theta2=180, color="0.8", linewidth=1, linestyle=":"))
        for number, (name, points) in enumerate(lines):
            xs, ys = [point[0] for point, _ in points], [point[1] for point, _ in points]
            marker = "os^Dv*"[number % 6]
            axes.plot(xs, ys, color=_web(of_line(number)), marker=marker, markersize=5, label=name)
            for point, words in points[-1:]:
                axes.annotate(words, point, xytext=(6, 4), textcoords="offset points", fontsize=7)
        axes.plot(*CONTROL, marker="o", color="black", markerfacecolor="white", linestyle="none")
        axes.annotate("control", CONTROL, xytext=(-8, 8), textcoords="offset points", ha="right", fontsize=8)
        axes.set_xlim(seen.left - 0.05, seen.right + 0.1)
        axes.set_ylim(seen.bottom - 0.02, seen.top + 0.08)
        axes.set_aspect("equal")
        axes.set_xlabel(f"projection on {target}")
        axes.set_ylabel("rejection")
        axes.grid(visible=True, color="0.93")
        axes.set_axisbelow(True)
        axes.legend(fontsize=7, loc="lower left", framealpha=0.9)
        axes.set_title(title, fontsize=9)

    return draw


def _content(kind: str, draw: Callable[[Figure], None]) -> bytes:
    import logging
    import warnings

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its log goes to stderr, which is not its to write
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sink = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.simplefilter("ignore")  # a name in a script that its font lacks
        figure = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        metadata: dict[str, Any] = {"Date": None, "Creator": "toolkit"} if kind == "svg" else {"Software": "toolkit"}
        figure.savefig(sink, format=kind, dpi=150, metadata=metadata)
    return sink.getvalue()


def _matrix(axes: Axes, labels: Sequence[str], matrix: Sequence[Sequence[float | None]]) -> Any:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array([[np.nan if value is None else value for value in row] for row in matrix], dtype=float)
    colours = LinearSegmentedColormap.from_list("similarity", [_web(one) for one in SCALE])
    colours.set_bad(_web(UNKNOWN))
    image = axes.imshow(values, cmap=colours, vmin=-1, vmax=1)
    size = 7 if len(labels) <= _MOST_NUMBERS else max(1.0, 7 * _MOST_NUMBERS / len(labels))
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    if len(labels) <= _MOST_NUMBERS:
        for row, line in enumerate(matrix):
            for column, value in enumerate(line):
                colour = _web(before(value))
                axes.text(column, row, cell(value, 2), ha="center", va="center", fontsize=6, color=colour)
    return image


def _web(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
