"""`toolkit groups find`: is a perturbation in the cache data, and where?"""

from __future__ import annotations

import os.path
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import figures
from toolkit.cache import find as finding
from toolkit.cache.find import Absent, Answers, Found, Where
from toolkit.cache.matching import Near, micromolar
from toolkit.cache.stored import LAYERS
from toolkit.cli import diagnostics, options, output
from toolkit.cli.diagnostics import printable
from toolkit.cli.opening import opened
from toolkit.cli.output import Column, Format
from toolkit.cli.typed_perts import FromFile, Perts, typed
from toolkit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

_HOW = {"case": "other case", "space": "other spelling", "alias": "another name", "prefix": "by its number"}


def find(
    perts: Perts = None,
    file: FromFile = None,
    group: Annotated[
        str | None, typer.Option("--group", "-g", metavar="GROUP", help="Look in this group only.")
    ] = None,
    env: options.Env = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Is a pert in the cache data? Every group, Redis and the bucket side by side, every frame; names only are read.

    Exit code 0: each is there under exactly the name typed; 1: not.
    """
    queries = typed(perts, file, example="toolkit groups find BRCA1 'REC-0000123 at 3'")
    with opened(env) as connections, diagnostics.watching() as progress:
        answers = finding.find(connections, queries, group, progress)
        if not answers.problems and connections.redis.address.note:
            diagnostics.warn(connections.redis.address.note)
    _show(answers, form, one=len(queries) == 1 and file is None)
    for note in answers.notes:
        diagnostics.narrate(f"! {note}", "yellow")
    for problem in answers.problems:
        diagnostics.error(problem)
    if answers.problems:
        raise typer.Exit(answers.problems[0].exit_code)
    if not all(found.exact for found in answers.found):
        raise typer.Exit(ExitCode.FOUND_WRONG)


def _show(answers: Answers, form: Format, *, one: bool) -> None:
    if form is Format.PLAIN:
        matches = [(found.query, match) for found in answers.found for match in found.matches]
        output.rows(matches, _plain_columns(), form)
        return
    if form is Format.TABLE:
        if one:
            output.document(answers.found[0], form, lambda: _drawn(answers.found[0]))
            if any(absent.frames + absent.unread == 0 for absent in answers.found[0].absent_from):
                diagnostics.narrate("- the layer holds none of the group's frames", "dim")
        else:
            output.rows(answers.found, _columns_of_many(), form)
            _tell_unreadable(answers.found[0])
        _tell_bytes(answers.found[0])
    elif one:
        output.document(answers.found[0], form, list)
    else:
        output.rows(answers.found, [], form)


@dataclass(frozen=True)
class _Row:
    """One group's line: what each layer says of it."""

    group: str
    matches: tuple[Where, ...]
    absent: tuple[Absent, ...]
    query: str

    def mark(self, layer: str) -> str:
        frames = {match.frame for match in self.matches if match.layer == layer}
        if frames:
            return "1 frame" if len(frames) == 1 else f"{len(frames)} frames"
        for absent in self.absent:
            if absent.layer == layer:
                return "unknown" if absent.unread else "no" if absent.frames else "-"
        return "unknown"


def _drawn(found: Found) -> Sequence[RenderableType]:
    from rich.text import Text

    rows = _rows(found)
    there = [row for row in rows if row.matches]
    style = "green" if found.exact else "yellow" if there else "red"
    headline = f"{found.query}: {_in_words(found, len(there), len(rows))}"
    parts: list[RenderableType] = [Text(printable(headline), style=f"bold {style}")]
    details = _details(found)
    shared = {title for title, cell in details.items() if len({cell(row) for row in there}) == 1}
    if shared:  # the same in every group: said once
        parts.append(output.pairs([(title, details[title](there[0])) for title in details if title in shared]))
    if rows:
        columns = [Column(title, cell) for title, cell in details.items() if title not in shared]
        parts += [Text(), output.table(rows, [*_COLUMNS, *columns])]
    for line in _unequal(rows):
        parts.append(Text(f"! {line}", style="yellow"))
    for unreadable in found.unreadable:
        what = f"{unreadable.group} {unreadable.frame} in {LAYERS[unreadable.layer]}"
        parts.append(Text(printable(f"! not searched: {what}: {unreadable.why}"), style="yellow"))
    parts += [Text(f"did you mean {_meant(near)}? ({printable(near.why)})") for near in found.near]
    return parts


def _in_words(found: Found, there: int, groups: int) -> str:
    if found.exact:
        return f"in {there} of {groups} groups"
    if there:
        names = ", ".join(dict.fromkeys(match.pert for match in found.matches))
        return f"not under this name; {names} is in {there} of {groups} groups"
    if found.unreadable:
        return f"in none of the frames that could be read ({len(found.unreadable)} could not)"
    return f"in none of the {groups} groups" if groups else "there is no group at all"


def _rows(found: Found) -> list[_Row]:
    named: dict[str, None] = dict.fromkeys(found.groups)
    return [
        _Row(
            name,
            tuple(match for match in found.matches if match.group == name),
            tuple(absent for absent in found.absent_from if absent.group == name),
            found.query,
        )
        for name in named
    ]


def _details(found: Found) -> dict[str, Callable[[_Row], str]]:
    """What is said of each group that has it, by title."""
    if not found.matches:
        return {}
    details: dict[str, Callable[[_Row], str]] = {"in frames": lambda row: _frames({m.frame for m in row.matches})}
    if not found.exact:
        details["as"] = _names
    if any(match.concentrations for match in found.matches):
        details["at µM"] = lambda row: _concentrations(row.matches)
    return details


def _names(row: _Row) -> str:
    names = {match.pert: _HOW.get(match.how, "") for match in row.matches}
    return printable(", ".join(f"{name} ({how})" if how else name for name, how in names.items()))


def _columns_of_many() -> list[Column]:
    return [
        Column("pert", lambda found: printable(found.query), style=lambda found: "" if found.exact else "bold"),
        Column(
            "groups", lambda found: f"{len({match.group for match in found.matches})}/{len(found.groups)}", right=True
        ),
        Column("L2", lambda found: _groups(found, "L2"), right=True),
        Column("L3", lambda found: _groups(found, "L3"), right=True),
        Column("at µM", lambda found: _concentrations(found.matches)),
        Column("", _remark, style=lambda _: "yellow"),
    ]


_COLUMNS = (
    Column("group", lambda row: row.group, style=lambda row: "" if row.matches else "dim"),
    Column("L2 redis", lambda row: row.mark("L2"), style=lambda row: _style(row.mark("L2"))),
    Column("L3 bucket", lambda row: row.mark("L3"), style=lambda row: _style(row.mark("L3"))),
)


def _remark(found: Found) -> str:
    if found.exact:
        return ""
    if found.matches:
        return printable(f"as {', '.join(dict.fromkeys(match.pert for match in found.matches))}")
    return f"did you mean {_meant(found.near[0])}?" if found.near else "nothing like it"


def _groups(found: Found, layer: str) -> str:
    return str(len({match.group for match in found.matches if match.layer == layer}))


def _plain_columns() -> list[Column]:
    return [
        Column("query", lambda row: row[0]),
        Column("group", lambda row: row[1].group),
        Column("layer", lambda row: row[1].layer),
        Column("frame", lambda row: row[1].frame),
        Column("pert", lambda row: row[1].pert),
        Column("kind", lambda row: row[1].kind),
        Column("concentrations", lambda row: ",".join(f"{one:g}" for one in row[1].concentrations)),
        Column("how", lambda row: row[1].how),
    ]


def _unequal(rows: Iterable[_Row]) -> Iterable[str]:
    """Where one layer has it in a frame, and the other has not, although it holds the group."""
    for row in rows:
        frames = {layer: {match.frame for match in row.matches if match.layer == layer} for layer in LAYERS}
        for layer, other in (("L2", "L3"), ("L3", "L2")):
            lacking = frames[other] - frames[layer]
            if frames[layer] and lacking:
                yield f"{row.group}: {', '.join(sorted(lacking))} has it in {LAYERS[other]}, not in {LAYERS[layer]}"


def _tell_unreadable(found: Found) -> None:
    for unreadable in found.unreadable:
        what = f"{unreadable.group} {unreadable.frame} in {LAYERS[unreadable.layer]}"
        diagnostics.warn(printable(f"not searched: {what}: {unreadable.why}"))


def _tell_bytes(found: Found) -> None:
    share = f" ({found.bytes_read / found.bytes_total:.1%})" if found.bytes_read and found.bytes_total else ""
    known = found.frames - found.frames_read
    text = f"Read {figures.size(found.bytes_read)} of {figures.size(found.bytes_total)}{share}: {found.frames} frames"
    if known:
        text += f", {known} of them known from the last time"
    if found.bytes_checked:
        text += f"; {figures.size(found.bytes_checked)} more to see whether Redis' values are still the same"
    diagnostics.narrate(text + ".", "dim")


def _meant(near: Near) -> str:
    return printable(near.pert if near.concentration is None else f"{near.pert} at {micromolar(near.concentration)}")


def _frames(names: set[str]) -> str:
    """All of them where there is room, else what they begin with: genes* (4)."""
    ordered = sorted(names)
    if len(ordered) < 3 or not sys.stdout.isatty() or shutil.get_terminal_size().columns >= 110:
        return ", ".join(ordered)
    common = os.path.commonprefix(ordered)  # noqa: RUF071  letters, not folders
    return f"{common or ordered[0] + ', '}* ({len(ordered)})"


def _concentrations(matches: Iterable[Where]) -> str:
    return " ".join(f"{one:g}" for one in sorted({one for match in matches for one in match.concentrations}))


def _style(mark: str) -> str:
    return {"no": "red", "unknown": "yellow", "-": "dim"}.get(mark, "green")
