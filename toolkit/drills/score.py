"""What a drill came to: points of 100, with what each of those that are missing was lost for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from toolkit.checks.diagnosis.cause import Cause
from toolkit.drills import ways
from toolkit.drills.drill import Deduction, Drill, Score, Typed, Verdict
from toolkit.errors import ExitCode

HINT: Final = 10
WRONG_ANSWER: Final = 15
PARTLY_ANSWER: Final = 10
DAMAGE: Final = 20
NOT_MENDED: Final = 20
DETOUR: Final = 3
MOST_FOR_DETOURS: Final = 15
UNSEEN: Final = 5
_GIVEN_UP: Final = {Verdict.NONE: 60, Verdict.WRONG: 60, Verdict.PARTLY: 40, Verdict.RIGHT: 0}


def detours(drill: Drill, true: Sequence[Cause]) -> tuple[str, ...]:
    """The commands, each once, that show nothing of what the causes are told by, and mend nothing."""
    needed = set(ways.needed(true, drill.symptoms))
    mending = ways.mending_words(true)
    found = dict.fromkeys(
        typed.words
        for typed in _carried_out(drill)
        if not (
            typed.by_itself
            or needed & set(ways.shows(typed.words))
            or typed.words in mending
            or ways.neutral(typed.words, drill.symptoms)
        )
    )
    return tuple(found)


def seen(drill: Drill, true: Sequence[Cause]) -> tuple[str, ...]:
    """Those of the needed checks that some command showed."""
    shown = {check for typed in _carried_out(drill) for check in ways.shows(typed.words)}
    return tuple(check for check in ways.needed(true, drill.symptoms) if check in shown)


def score(drill: Drill, true: Sequence[Cause], ended: datetime, mended: bool | None, damage: tuple[str, ...]) -> Score:
    """The score of a drill that ends now: its last answer is right, or it was given up."""
    verdict = _best(drill)
    needed, looked, off = ways.needed(true, drill.symptoms), seen(drill, true), detours(drill, true)
    lost = [
        Deduction(_GIVEN_UP[verdict], "given up"),
        *(Deduction(_cost(answer.verdict), f"answered {', '.join(answer.causes)}") for answer in drill.answers),
        Deduction(HINT * len(drill.hints), _counted(len(drill.hints), "hint")),
        Deduction(HINT if drill.level > 1 and _asked_why(drill) else 0, "`toolkit why` was asked"),
        *(Deduction(DAMAGE, line) for line in damage),
        Deduction(NOT_MENDED if mended is False else 0, "not mended"),
        Deduction(UNSEEN * (len(needed) - len(looked)), f"answered on {len(looked)} of {len(needed)} checks"),
        Deduction(min(DETOUR * len(off), MOST_FOR_DETOURS), _counted(len(off), "detour")),
    ]
    deductions = tuple(one for one in lost if one.points)
    words = frozenset(typed.words for typed in drill.commands if typed.exit_code == 0)
    return Score(
        verdict=verdict,
        points=max(0, 100 - sum(one.points for one in deductions)),
        seconds=round(max(0.0, (ended - drill.started).total_seconds()), 1),
        mended=mended,
        checks_needed=needed,
        checks_seen=looked,
        detours=off,
        damage=damage,
        deductions=deductions,
        way=ways.shortest(true, drill.symptoms, drill.environment, frozenset(looked), words),
        advice=ways.advice(true),
    )


def _carried_out(drill: Drill) -> list[Typed]:
    """Without those that were only typed wrongly."""
    return [typed for typed in drill.commands if typed.exit_code != ExitCode.USAGE]


def _best(drill: Drill) -> Verdict:
    given = {answer.verdict for answer in drill.answers}
    return next((one for one in (Verdict.RIGHT, Verdict.PARTLY, Verdict.WRONG) if one in given), Verdict.NONE)


def _cost(verdict: Verdict) -> int:
    return {Verdict.WRONG: WRONG_ANSWER, Verdict.PARTLY: PARTLY_ANSWER}.get(verdict, 0)


def _asked_why(drill: Drill) -> bool:
    return any(typed.words == ways.WHY for typed in drill.commands)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
