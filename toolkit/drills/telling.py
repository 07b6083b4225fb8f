"""How a drill is told, the same in both faces: its level, its end, its figures. Nothing here names a cause before the
end."""

from __future__ import annotations

from datetime import UTC, datetime

from toolkit import figures
from toolkit.drills import choice, score, ways
from toolkit.drills.drill import Drill, Score, Symptom, Verdict

_MENDED = {
    True: "yes: the diagnosis does not find it any more",
    False: "no",
    None: "nothing here that a command mends",
}


def level(drill: Drill) -> str:
    return f"Level {drill.level}: {choice.LEVELS[drill.level]}."


def reports(symptom: Symptom) -> str:
    """Who says what."""
    who = symptom.who[:1].upper() + symptom.who[1:]
    return f"{who} reports: “{symptom.words}”"


def so_far(drill: Drill) -> str:
    """How long it has been going on, and what was done: "4m; 3 commands; 1 hint"."""
    done = f"{figures.duration((datetime.now(UTC) - drill.started).total_seconds())} so far"
    asked = sum(not typed.by_itself for typed in drill.commands)
    counts = ((asked, "command"), (len(drill.hints), "hint"), (len(drill.answers), "answer"))
    return "; ".join([done, *(counted(count, what) for count, what in counts if count)])


def not_it(drill: Drill) -> str:
    """What is said to the last answer, which is not right."""
    if drill.answers[-1].verdict is Verdict.PARTLY:
        return f"There is something in that, but it is not the whole, or not all of it is so: -{score.PARTLY_ANSWER}."
    return f"It is not that: -{score.WRONG_ANSWER}. The drill goes on"


def head(drill: Drill, end: Score) -> str:
    names = ", ".join(drill.scenario or ())
    return f"Right: {names}." if end.verdict is Verdict.RIGHT else f"It was {names}."


def titles(drill: Drill) -> list[str]:
    """What the causes are, a sentence each."""
    return [cause.title for cause in ways.causes(drill.scenario or ())]


def rows(drill: Drill, end: Score) -> list[tuple[str, str]]:
    """Label and text of each figure of the score."""
    return [
        ("points", f"{end.points} of 100"),
        ("time", figures.duration(end.seconds)),
        ("mended", _MENDED[end.mended]),
        ("looked at", f"{len(end.checks_seen)} of the {len(end.checks_needed)} checks that tell it"),
        ("detours", ", ".join(end.detours) or "none"),
        *(("damage", line) for line in end.damage or ("none",)),
        ("again", again(drill)),
    ]


def again(drill: Drill) -> str:
    """The command that begins a drill with the same case."""
    words = [f"--scenario {name}" for name in drill.scenario or ()] if drill.seed is None else [f"--seed {drill.seed}"]
    where = [] if drill.environment == "sandbox" else [f"--env {drill.environment}"]
    return " ".join(("toolkit drill", f"--level {drill.level}", *words, *where))


def counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
