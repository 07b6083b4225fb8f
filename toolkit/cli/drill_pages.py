"""A drill as people and programs see it: the case, the help, the score. Nothing here names a cause before the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.cli.diagnostics import printable
from toolkit.drills import score, telling
from toolkit.drills.drill import Drill, Phase, Score, Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType

_WIDTH = 80
_NONE = "No drill is going on. (toolkit drill)"


def document(drill: Drill | None) -> dict[str, Any]:
    """The drill for programs. `scenario`, `seed` and `score` are null until it is over."""
    if drill is None:
        return {"state": "none"}
    return {
        "drill": drill.id,
        "state": str(drill.phase),
        "environment": drill.environment,
        "level": drill.level,
        "started": drill.started,
        "ended": drill.ended,
        "symptoms": [
            {"who": one.who, "words": one.words, "pert": one.pert or None, "group": one.group or None}
            for one in drill.symptoms
        ],
        "commands": list(drill.commands),
        "hints": list(drill.hints),
        "answers": list(drill.answers),
        "scenario": list(drill.scenario) if drill.scenario is not None else None,
        "seed": drill.seed if drill.over else None,
        "score": drill.score,
    }


def plain(drill: Drill) -> list[str]:
    """One line, tab-separated: id, state, verdict of the last answer, points (empty before the end)."""
    last = str(drill.answers[-1].verdict) if drill.answers else ""
    points = str(drill.score.points) if drill.score else ""
    return ["\t".join((drill.id, str(drill.phase), last, points))]


def page(drill: Drill | None) -> Sequence[RenderableType] | RenderableType:
    """The drill for people, as it stands."""
    if drill is None:
        return _NONE
    if drill.phase is Phase.PREPARING:
        return "A drill was cut off while it was being prepared: `toolkit drill` goes on with it."
    if drill.score is not None:
        return _ended(drill, drill.score)
    return _going_on(drill)


def hint(drill: Drill) -> Sequence[RenderableType]:
    """The last hint."""
    why, _, command = drill.hints[-1].partition("  ")
    parts = _folded(why)
    if command:
        parts += ["", f"    {printable(command)}"]
    return [*parts, "", f"Hints so far: {len(drill.hints)}. Each costs {score.HINT} of 100 points."]


def not_it(drill: Drill) -> str:
    """What is said to the last answer, which is not right."""
    said = telling.not_it(drill)
    return said if said.endswith(".") else f"{said}; `toolkit drill hint` helps."


def _going_on(drill: Drill) -> Sequence[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = []
    parts.append(Text(telling.level(drill), style="bold"))
    for symptom in drill.symptoms:
        parts += ["", *_folded(telling.reports(symptom))]
    parts += [
        "",
        *_folded(
            f"Find out why, in the environment {drill.environment}, with the commands that you would use, here or in "
            "other terminals. Mend it where it is yours to mend; then say what it was."
        ),
        "",
        "    toolkit drill answer CAUSE   without CAUSE: which causes there are",
        f"    toolkit drill hint           one step of help; costs {score.HINT} of 100 points",
        "    toolkit drill give-up        ends it and says what it was",
    ]
    if drill.commands or drill.hints or drill.answers:
        parts += ["", Text(telling.so_far(drill), style="dim")]
    return parts


def _ended(drill: Drill, end: Score) -> Sequence[RenderableType]:
    from rich.text import Text

    right = end.verdict is Verdict.RIGHT
    parts: list[RenderableType] = [Text(telling.head(drill, end), style="bold green" if right else "bold yellow")]
    parts += [line for title in telling.titles(drill) for line in _folded(title)]
    parts += ["", *_pairs(telling.rows(drill, end))]
    if end.deductions:
        parts += ["", Text("Points lost", style="bold")]
        for one in end.deductions:
            parts += _folded(f"-{one.points}".rjust(5) + f"  {one.why}", indent=7)
    parts += ["", Text("The shortest way", style="bold")]
    for step in end.way:
        sign = "✓" if step.looked else "·"
        parts.append(f"  {sign} {printable(step.command)}")
        parts += _folded(f"      {step.why}", indent=6)
    for line in end.advice:
        parts += _folded(f"  · {line}", indent=4)
    return parts


def _pairs(rows: Sequence[tuple[str, str]]) -> list[RenderableType]:
    width = max(len(label) for label, _ in rows) + 2
    return [line for label, text in rows for line in _folded(label.ljust(width) + text, indent=width)]


def _folded(text: str, indent: int = 0) -> list[RenderableType]:
    """Lines of at most 80 columns; those after the first are indented."""
    import textwrap

    from rich.text import Text

    lines = textwrap.wrap(
        printable(text),
        _WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return [Text(line) for line in lines]
