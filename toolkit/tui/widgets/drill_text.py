"""A drill as text: the case, the help, the score. Nothing here names a cause before the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.drills import score, telling
from toolkit.drills.drill import Verdict
from toolkit.secret import scrub
from toolkit.tui.widgets.prose import hanging, labelled

if TYPE_CHECKING:
    from toolkit.drills.drill import Drill, Score

# The place in the app that shows the same as a command: the act whose key leads there.
_HERE = {
    "access check": "app.why",
    "app restart": "app.why",
    "app status": "app.why",
    "bucket ls": "app.bucket",
    "cache rebuild": "app.rebuild",
    "cache status": "app.rebuild",
    "doctor": "app.home",
    "groups find": "app.jump",
    "groups inspect": "app.why",
    "groups list": "app.groups",
    "image check": "app.why",
    "journal list": "app.journal",
    "redis address": "app.home",
    "vault status": "app.home",
}


def here(command: str, key_of: Callable[[str], str]) -> str:
    """`(2)` for a command whose answer page 2 shows; "" where the app has no page for it."""
    words = " ".join(command.removeprefix("toolkit ").split()[:2])
    act = _HERE.get(words) or _HERE.get(words.split(" ")[0])
    return f"  ({key_of(act)} here)" if act else ""


def going_on(drill: Drill, width: int, key_of: Callable[[str], str], *, tall: bool) -> Content:
    """The case, what was done so far, the hints, and what was answered."""
    gap = [Content("")]
    lines = [
        Content.styled(telling.level(drill), "bold"),
        Content.styled(telling.so_far(drill), "$text-muted"),
    ]
    for symptom in drill.symptoms:
        lines += [*gap, hanging(Content(""), scrub(telling.reports(symptom)), width)]
    text = (
        f"Find out why, in {drill.environment}: with the pages of this app, or by commands in other terminals. Mend it "
        "where it is yours to mend; then say what it was."
    )
    lines += [*gap, hanging(Content(""), text, width, "$text-muted")]
    if drill.hints:
        lines += gap
    for hint in drill.hints:
        why, _, command = hint.partition("  ")
        lines.append(labelled("hint", why, width))
        if command:
            lines.append(labelled("", f"{command}{here(command, key_of)}", width, "$text-accent"))
    if drill.answers:
        lines += gap
    for given in drill.answers:
        mark = {Verdict.PARTLY: "! in part", Verdict.WRONG: "✗ no"}.get(given.verdict, "")
        lines.append(labelled("answered", f"{', '.join(given.causes)}  {mark}", width))
    if tall:
        lines += [*gap, Content.styled(f"Of 100 points a hint costs {score.HINT}, a wrong answer "
                                       f"{score.WRONG_ANSWER}.", "$text-muted")]  # fmt: skip
    return Content("\n").join(lines)


def ended(drill: Drill, end: Score, width: int) -> Content:
    """What it was, what it came to, and the shortest way."""
    right = end.verdict is Verdict.RIGHT
    sign = "✓ " if right else "✗ "
    head = Content.styled(sign, "bold $text-success" if right else "bold $text-warning")
    lines = [hanging(head, telling.head(drill, end), width, "bold")]
    lines += [hanging(Content(""), title, width) for title in telling.titles(drill)]
    lines.append(Content(""))
    lines += [labelled(label, scrub(text), width, room=11) for label, text in telling.rows(drill, end)]
    if end.deductions:
        lines += [Content(""), Content.styled("Points lost", "bold")]
        lines += [hanging(Content(f"-{one.points}".rjust(5) + "  "), scrub(one.why), width) for one in end.deductions]
    lines += [Content(""), Content.styled("The shortest way", "bold")]
    for step in end.way:
        mark = Content.styled("  ✓ " if step.looked else "  · ", "$text-success" if step.looked else "$text-muted")
        lines.append(hanging(mark, step.command, width, "$text-accent"))
        lines.append(hanging(Content("      "), step.why, width))
    lines += [hanging(Content("  · "), text, width) for text in end.advice]
    return Content("\n").join(lines)
