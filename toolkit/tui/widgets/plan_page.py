"""A plan, and what became of it, as pages to read: what, where, how much, undo, by hand."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from toolkit.actions.gate import Done
from toolkit.actions.plan import Change, Damage, Fact, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.figures import size
from toolkit.progress import Advanced
from toolkit.secret import scrub
from toolkit.tui.widgets.prose import ENDLESS, hanging, labelled
from toolkit.tui.wording import STYLES, moment, state

_RESULTS = {
    Result.DONE: ("✓ done", "bold $text-success"),
    Result.PARTIAL: ("! partial", "bold $text-warning"),
    Result.FAILED: ("✗ failed", "bold $text-error"),
}


def change_text(change: Change) -> str:
    """One change on one line: delete rp006_a/: 8 objects, 2.1 GB."""
    text = f"{change.verb} {change.target}"
    if change.unit:
        text += f": {change.count:,} {change.unit}"
    if change.bytes is not None:
        text += f", {size(change.bytes)}"
    return scrub(text)


def plan_page(plan: Plan, width: int = ENDLESS) -> Content:
    """The whole plan, wrapped to `width` cells; nothing of it is cut."""
    lines = [
        hanging(Content(""), scrub(plan.title), width, "bold"),
        labelled("in", f"{plan.environment}: {scrub(plan.where)}", width),
        Content(""),
    ]
    if plan.empty:
        lines.append(Content.styled("Nothing to change: it is already so.", "$text-success"))
    arrow = Content.styled("→ ", "bold $text-accent")
    lines += [hanging(arrow, change_text(change), width, "bold") for change in plan.changes]
    if plan.facts:
        lines += [Content(""), *fact_lines(plan.facts, width)]
    lines += [Content(""), labelled("undo", scrub(plan.undo), width)]
    lines += _commands("by hand", plan.by_hand, width)
    damage = "large: a name has to be typed in full" if plan.damage is Damage.LARGE else "small"
    lines.append(labelled("damage", damage, width))
    lines.append(labelled("plan", f"{plan.hash}, holds until {moment(plan.expires_at)}", width))
    return Content("\n").join(lines)


def fact_lines(facts: Sequence[Fact], width: int) -> list[Content]:
    """What one should see before deciding: each with its sign, and the word where it is not as it should be."""
    room = min(max((len(fact.label) for fact in facts), default=0), 24)
    lines = []
    for fact in facts:
        head = Content.assemble(
            (f"{fact.status.sign} ", STYLES[fact.status]), (f"{fact.label:<{room}}  ", "$text-muted")
        )
        word = "" if fact.status is Status.OK else f"{fact.status}: "
        style = "" if fact.status in (Status.OK, Status.SKIPPED) else STYLES[fact.status]
        lines.append(hanging(head, word + scrub(fact.value), width, style))
    return lines


def outcome_page(done: Done, width: int = ENDLESS) -> Content:
    """What became of it: the result, what was found when looking again, what is left, how to undo it."""
    word, style = _RESULTS[done.outcome.result]
    lines = [hanging(Content.styled(f"{word}  ", style), scrub(done.outcome.summary), width, "bold")]
    lines += [hanging(Content("  "), scrub(line), width) for line in done.outcome.details]
    if done.findings:
        lines.append(Content(""))
    for finding in done.findings:
        lines += _found(finding, width)
    if done.outcome.left:
        lines += [Content(""), Content.styled(f"left as they were ({len(done.outcome.left):,})", "bold $text-warning")]
        lines += [hanging(Content("  "), scrub(item), width) for item in done.outcome.left]
    if done.outcome.undo or done.operation:
        lines.append(Content(""))
    lines += _commands("undo", done.outcome.undo, width)
    if done.operation:
        lines.append(labelled("journal", f"operation {done.operation}", width))
    return Content("\n").join(lines)


def progress_line(advanced: Advanced, width: int) -> Content:
    """How far one piece of work is: `frames  ███████░░░░ 3 of 8 frames`."""

    def amount(count: int) -> str:
        return size(count) if advanced.unit == "bytes" else f"{count:,}"

    unit = "" if advanced.unit == "bytes" else f" {advanced.unit}"
    what = f"{scrub(advanced.what):<20} "
    if not advanced.total:
        return Content(f"{what}{amount(advanced.done)}{unit}")
    cells = max(8, min(30, width - 50))
    full = min(cells, int(cells * advanced.done / advanced.total))
    return Content.assemble(
        what,
        ("█" * full, "$text-success"),
        ("░" * (cells - full), "$text-muted"),
        f" {amount(advanced.done)} of {amount(advanced.total)}{unit}",
    )


def _found(finding: Finding, width: int) -> list[Content]:
    head = Content.assemble((state(finding.status), STYLES[finding.status]), " ")
    lines = [hanging(head, f"{finding.name}: {scrub(finding.summary)}", width)]
    if finding.status is Status.OK:
        return lines
    if finding.hint:
        lines.append(hanging(Content.assemble(" " * 10, ("next  ", "bold")), scrub(finding.hint), width))
    lines += [hanging(Content(" " * 10), scrub(command), width, "$text-accent") for command in finding.by_hand]
    return lines


def _commands(label: str, commands: tuple[str, ...], width: int) -> list[Content]:
    return [
        labelled(label if number == 0 else "", scrub(command), width, "$text-accent")
        for number, command in enumerate(commands)
    ]
