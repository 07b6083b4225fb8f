"""Which commands show what: from words that were typed to the checks that they answer, and the shortest way to a cause.

A cause is told by checks (`Cause.needs`). A command that shows what such a check would find leads to the cause; one
that shows none of them, and mends nothing, is a detour, unless it is one that everybody begins with.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from toolkit.checks import questions
from toolkit.checks.diagnosis import asking
from toolkit.checks.diagnosis.cause import Asked, Cause, Mend
from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.drills.drill import Step, Symptom

_VECTORS = ("vectors-healthy", "default-vectors-healthy")
WHY: Final = "why"
MENDS: Final = "That mends it."
AFTERWARDS: Final = "Then the pods load into memory (L1) what was rebuilt."
_RESTART: Final = "app restart"


@dataclass(frozen=True, slots=True)
class Shows:
    """A command by its words, the checks that it answers, and how it is typed ("" where a way never names it)."""

    words: str
    checks: tuple[str, ...]
    typed: str = ""


# The cheapest and most telling first: of two that show the same, a way names the upper one.
COMMANDS: tuple[Shows, ...] = (
    Shows("groups list", ("groups-complete", "group-in-cache"), "groups list"),
    Shows("cache status", ("rebuild-running", "last-rebuild", "cache-manager-place"), "cache status"),
    Shows("redis address", ("proxy-address",), "redis address"),
    Shows("vault status", ("vault",), "vault status"),
    Shows("groups find", ("pert-in-cache",), "groups find {pert}"),
    Shows("groups inspect", _VECTORS, "groups inspect {group}"),
    Shows("doctor", ("vault", "redis-token", "proxy-address", "redis", "cache-manager-place"), "doctor"),
    Shows("groups show", ("groups-complete", "group-in-cache")),
    Shows("groups diff", _VECTORS),
    Shows("cache history", ("rebuild-running", "last-rebuild")),
    Shows("cache rebuild --dry-run", ("rebuild-running", "last-rebuild", "cache-manager-place")),
    Shows("redis token", ("vault", "redis-token")),
    Shows("redis shell", ("redis", "groups-complete")),
    Shows("bucket ls", ("groups-complete", "group-in-cache")),
    Shows("bucket du", ("groups-complete", "group-in-cache")),
    Shows("map consistency", ("pert-in-cache", *_VECTORS)),
    Shows("map heatmap", ("pert-in-cache", *_VECTORS)),
    Shows("map projection", ("pert-in-cache", *_VECTORS)),
    Shows("logs", ("last-rebuild", "rebuild-running")),
    Shows("events find", ("built-since-rebuild",), "events find {group}"),
    Shows("events tail", ("built-since-rebuild",)),
    Shows(
        "loader check", ("loader-settings", "loader-groups", "loader-transformation"), "loader check --group {group}"
    ),
    Shows("loader plan", ("loader-api", "loader-dry-run", "loader-settings")),
    Shows("access check", ("access",), "access check {who}"),
    Shows("app status", ("app-pods",), "app status"),
    Shows("image check", ("image",), "image check"),
    Shows("journal list", ("recent-changes",)),
)
# The cache manager needs the token too, is begun where it is configured, and is begun once at a time.
_KEEPS_FROM_REBUILDING: Final = ("vault-sealed", "token-rotated", "wrong-cluster", "rebuild-running")
_SHOWS: Final = {one.words: one.checks for one in COMMANDS}
# A look around that nobody should be blamed for; and what changes something, which is weighed as damage or mending.
_LOOKS_AROUND: Final = (
    *(WHY, "doctor", "groups list", "journal", "sandbox", "env", "config", "runbook", "vault"),
    "biohive",  # what is run there is another world's
)
_CHANGES: Final = (
    *("app restart", "bucket restore", "bucket rm", "cache rebuild"),
    *("groups delete", "groups flush", "groups restore"),
)
_CALLED: Final = {"bucket.remove": "bucket rm"}  # all others are typed as they are called
_NEUTRAL: Final = (*_LOOKS_AROUND, *_CHANGES)


def causes(names: Sequence[str]) -> tuple[Cause, ...]:
    """The causes of these names, in the order in which they explain one another."""
    return tuple(cause for cause in CAUSES if cause.name in names)


def asked(symptom: Symptom) -> Asked:
    return Asked(symptom.pert, symptom.group, who=symptom.who if "@" in symptom.who else "")


def needed(true: Sequence[Cause], symptoms: Sequence[Symptom]) -> tuple[str, ...]:
    """The checks by which the causes are told, as far as the symptoms let one ask them."""
    can = {name for symptom in symptoms for name in _asked_by_why(asked(symptom))}
    return tuple(dict.fromkeys(check for cause in true for check in cause.needs if check in can))


def shows(words: str) -> tuple[str, ...]:
    """The checks that a command answers, by its words; those of a runbook's steps for one that was walked."""
    if words == WHY:
        return tuple(dict.fromkeys(check for cause in CAUSES for check in cause.needs))
    if words.startswith("runbook run "):
        return _walked(words.removeprefix("runbook run "))
    return _SHOWS.get(words, ())


def neutral(words: str, symptoms: Sequence[Symptom]) -> bool:
    """Whether nobody is blamed for it: a look around, or at just what was reported."""
    if words == "groups find" and any(symptom.pert for symptom in symptoms):
        return True
    if words == "groups show" and any(symptom.group for symptom in symptoms):
        return True
    return any(words == one or words.startswith(f"{one} ") for one in _NEUTRAL)


def changing_words(action: str) -> str:
    """The words of the command that carries out the action of that name."""
    return _CALLED.get(action, action.replace(".", " "))


def mends(true: Sequence[Cause]) -> tuple[Mend, ...]:
    """What mends these causes together: no rebuild where another cause would keep it from coming to its end."""
    kept = any(cause.name in _KEEPS_FROM_REBUILDING for cause in true)
    return tuple(
        dict.fromkeys(mend for cause in true for mend in cause.mends if not (kept and mend.name == "cache.rebuild"))
    )


def mended_here(cause: Cause, together: Sequence[Cause]) -> bool:
    """Whether the engineer can mend it with an action of the toolkit, there where it stands with those others."""
    return cause.ours and any(mend.kind == "action" for mend in mends(together) if mend in cause.mends)


def mending_words(true: Sequence[Cause]) -> frozenset[str]:
    """The words of the commands that mend, in one way or the other."""
    found = set()
    for mend in mends(true):
        words = [word for word in mend.command.split()[1:] if not word.startswith(("-", "{"))]
        found.add(" ".join(words))
    return frozenset(found)


def shortest(
    true: Sequence[Cause], symptoms: Sequence[Symptom], environment: str, seen: frozenset[str], done: frozenset[str]
) -> tuple[Step, ...]:
    """The fewest commands that show what is needed, then those that mend. `seen` are checks that were looked at, `done`
    the words of the commands that were run."""
    steps = []
    left = list(needed(true, symptoms))
    values = _values(symptoms)
    while left:
        best = max(COMMANDS, key=lambda one: _gain(one, left, values))
        if not _gain(best, left, values):
            break
        shown = [check for check in left if check in best.checks]
        command = _typed(best, values, environment)
        why = " ".join(questions.question(check).help for check in shown)
        steps.append(Step(command, why, all(check in seen for check in shown)))
        left = [check for check in left if check not in shown]
    together = mends(true)
    for mend in dict.fromkeys(
        next(mend for mend in cause.mends if mend in together and mend.kind == "action")
        for cause in true
        if mended_here(cause, true)
    ):
        words = mend.command.removeprefix("toolkit ").removesuffix(" --env {env}")
        steps.append(Step(mend.ready(environment, Asked()), MENDS, words in done))
        if mend.name == "cache.rebuild":
            steps.append(Step(f"toolkit {_RESTART} --env {environment}", AFTERWARDS, _RESTART in done))
    return tuple(steps)


def advice(true: Sequence[Cause]) -> tuple[str, ...]:
    """For each cause that no action mends: whom to ask, or which runbook says what is to be done."""
    found = []
    for cause in true:
        if not mended_here(cause, true):
            runbooks = [mend.name for mend in cause.mends if mend.kind == "runbook"]
            text = f"ask {cause.ask}" if cause.ask else f"the runbook {runbooks[0]} says what to do"
            found.append(f"{cause.name}: {text}")
    return tuple(found)


def _gain(command: Shows, left: Sequence[str], values: dict[str, str]) -> int:
    if not command.typed or any(f"{{{key}}}" in command.typed and not value for key, value in values.items()):
        return 0
    return sum(check in command.checks for check in left)


def _typed(command: Shows, values: dict[str, str], environment: str) -> str:
    words = command.typed.format(**{key: shlex.quote(value) for key, value in values.items()})
    return f"toolkit {words} --env {environment}"


def _values(symptoms: Sequence[Symptom]) -> dict[str, str]:
    return {
        "pert": next((symptom.pert for symptom in symptoms if symptom.pert), ""),
        "group": next((symptom.group for symptom in symptoms if symptom.group), ""),
        "who": next((symptom.who for symptom in symptoms if "@" in symptom.who), ""),
    }


def _asked_by_why(question: Asked) -> frozenset[str]:
    return frozenset(asking.names(question))


def _walked(name: str) -> tuple[str, ...]:
    from toolkit.errors import ToolkitError
    from toolkit.walkthrough.library import library

    try:
        steps = library().runbook(name).steps
    except ToolkitError:  # it was there when it was walked
        return ()
    blocks = [block for step in steps for block in step.blocks]
    return tuple(dict.fromkeys(block.name for block in blocks if block.word in ("check", "wait-for")))
