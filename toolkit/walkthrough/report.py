"""A case as Markdown, to hand over or to put into a ticket: symptom, timeline, findings, actions, open questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from toolkit.secret import scrub
from toolkit.walkthrough import case as cases
from toolkit.walkthrough.case import Case, Event, State, StepRecord
from toolkit.walkthrough.record import Record


def report(record: Record, case: Case) -> str:
    """The whole report, scrubbed of secrets; times are in UTC and in this machine's local time."""
    steps, events = record.steps(case.id), record.events(case.id)
    parts = [
        _head(case),
        _steps(steps, events),
        _findings(events),
        _actions(events),
        _open_questions(case, steps, events),
        _timeline(case, events),
    ]
    return scrub("\n\n".join(part for part in parts if part) + "\n")


def document(record: Record, case: Case) -> dict[str, Any]:
    """The case for programs."""
    events = record.events(case.id)
    return {
        "case": case.id,
        "runbook": case.runbook,
        "title": case.title,
        "environment": case.environment,
        "who": case.who,
        "origin": _origin(case),
        "started": _utc(case.started),
        "ended": _utc(case.ended) if case.ended else None,
        "result": case.result,
        "inputs": dict(case.inputs),
        "here": {"runbook": case.here[0], "step": case.here[1]} if case.here else None,
        "steps": [
            {"runbook": one.runbook, "step": one.step, "state": one.state, "note": one.note, "visits": one.visits}
            for one in record.steps(case.id)
        ],
        "findings": [
            {key: found[key] for key in ("name", "status", "summary", "seconds")}
            for found in cases.findings(events).values()
        ],
        "actions": [
            {key: event.content[key] for key in ("action", "plan", "operation", "result", "summary", "undo")}
            for event in events
            if event.kind == "acted"
        ],
    }


def _head(case: Case) -> str:
    ended = f"ended {_both(case.ended)}: {case.result}" if case.ended else "not ended"
    lines = [
        f"# {_line(case.title)}",
        "",
        f"**Symptom.** {_line(case.symptom)}",
        "",
        f"- Case `{case.id}`, runbook `{case.runbook}`, environment `{case.environment or '-'}`",
        f"- {_line(case.who)}, started {_both(case.started)}, {ended}",
    ]
    if case.origin:
        origin = case.origin
        lines.append(
            f"- Taken over from {_line(origin.who)} (case `{origin.case}`, handed over {_both(origin.made)}), "
            f"came {_both(origin.came)}"
        )
    lines += [f"- {name}: `{_line(value)}`" for name, value in case.inputs.items() if value]
    return "\n".join(lines)


def _steps(steps: Sequence[StepRecord], events: Sequence[Event]) -> str:
    whose = {(event.runbook, event.step): event.by for event in events}
    rows = ["## Steps", "", "| step | state | note |", "|---|---|---|"]
    for step in steps:
        times = f" ({step.visits} times)" if step.visits > 1 else ""
        by = _by(whose.get((step.runbook, step.step), ""))
        rows.append(f"| {_cell(step.title)}{times}{by} | {step.state} | {_cell(step.note)} |")
    return "\n".join(rows)


def _findings(events: Sequence[Event]) -> str:
    found = cases.findings(events)
    if not found:
        return ""
    lines = ["## Findings", ""]
    for one in found.values():
        lines.append(f"- **{one['status']}** `{one['name']}`: {_line(one['summary'])}{_by(one.get('by', ''))}")
        lines += [f"  - {_line(text)}" for text in one["evidence"]]
        lines += [f"  - by hand: `{_line(text)}`" for text in one["by_hand"]]
    return "\n".join(lines)


def _actions(events: Sequence[Event]) -> str:
    acted = [event for event in events if event.kind == "acted"]
    if not acted:
        return ""
    lines = ["## Actions", ""]
    for event in acted:
        content = event.content
        lines.append(
            f"- {_both(event.time)} **{content['result']}** `{content['action']}`, plan `{content['plan']}`, "
            f"journal `{content['operation'] or '-'}`: {_line(content['summary'])}{_by(event.by)}"
        )
        lines += [f"  - undo: `{_line(text)}`" for text in content["undo"]]
        lines += [f"  - left as it was: {_line(text)}" for text in content["left"]]
    return "\n".join(lines)


def _open_questions(case: Case, steps: Sequence[StepRecord], events: Sequence[Event]) -> str:
    lines: list[str] = []
    lines += [f"- Stuck at “{_line(step.title)}”: {_line(step.note)}" for step in steps if step.state is State.STUCK]
    lines += [f"- Left open: “{_line(step.title)}”" for step in steps if step.state is State.OPEN]
    lines += [
        f"- Skipped “{_line(step.title)}”: {_line(step.note)}"
        for step in steps
        if step.state is State.SKIPPED and step.note not in ("", "went back")
    ]
    lines += [
        f"- `{found['name']}` could not be answered: {_line(found['summary'])}"
        for found in cases.findings(events).values()
        if found["status"] in ("unknown", "skipped")
    ]
    if not case.ended and not lines:
        lines.append(f"- The walk is not at its end: `toolkit runbook resume {case.id}`")
    return "\n".join(["## Open questions", "", *lines]) if lines else ""


def _timeline(case: Case, events: Sequence[Event]) -> str:
    who, bar = ("| who ", "|---") if case.origin else ("", "")
    lines = ["## Timeline", "", f"| UTC | local {who}| what |", f"|---|---{bar}|---|"]
    for event in events:
        local = event.time.astimezone()
        whose = f"| {_cell(event.by or case.who)} " if case.origin else ""
        lines.append(f"| {_utc(event.time)} | {local:%H:%M:%S %Z} {whose}| {_cell(_said(event))} |")
    return "\n".join(lines)


def _said(event: Event) -> str:
    content = event.content
    match event.kind:
        case "opened" | "resumed":
            return f"{event.kind} “{content['title']}”"
        case "closed":
            return f"{content['state']}" + (f": {content['note']}" if content["note"] else "")
        case "found":
            again = "asked again: " if content.get("again") else ""
            return f"{again}{content['name']}: {content['status']}: {content['summary']}"
        case "waited":
            return f"waited {content['seconds']} s for {content['check']}"
        case "acting":
            return f"carrying out plan {content['plan']}"
        case "acted":
            return f"{content['action']}: {content['result']}: {content['summary']}"
        case "refused":
            return f"{content['action']} was not carried out: {content['message']}"
        case "answered":
            return f"{content['prompt']} {content['answer']}"
        case "chosen":
            return f"went to {content['goes_to']}, because: {content['because']}"
        case "ran":
            return f"ran in a shell, exit code {content['code']}: {content['command']}"
    return event.kind


def _origin(case: Case) -> dict[str, str] | None:
    origin = case.origin
    if origin is None:
        return None
    return {"case": origin.case, "who": origin.who, "made": _utc(origin.made), "came": _utc(origin.came)}


def _by(who: object) -> str:
    """Whose it is, where it was a colleague's."""
    return f" (by {_cell(who)})" if who else ""


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _both(moment: datetime) -> str:
    return f"{_utc(moment)} ({moment.astimezone():%Y-%m-%d %H:%M %Z})"


def _line(text: object) -> str:
    """One line: what came from outside must not break the page's form."""
    return "".join(c if c.isprintable() else " " for c in str(text)).replace("`", "'").strip()


def _cell(text: object) -> str:
    return _line(text).replace("|", "\\|")
