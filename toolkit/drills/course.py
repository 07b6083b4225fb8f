"""The course of a drill: begun, gone on with, helped, answered, given up. Both faces call this; neither prints here.

The sandbox is reached through a `Stage` that the face hands over, so that nothing here knows it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from toolkit.drills import choice, score, store, ways, world
from toolkit.drills.drill import Answer, Drill, Phase, Symptom, Verdict
from toolkit.errors import Refused, UsageError

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


class Stage(Protocol):
    """The sandbox, as far as a drill needs it."""

    def against(self) -> Mapping[str, Collection[str]]:
        """Every scenario, with those that it cannot be true together with."""

    def check(self, names: Sequence[str]) -> None:
        """Raises UsageError for a scenario that is not known, and for two that cannot be true at once."""

    def bring_about(self, names: Sequence[str], environment: str, drill: str) -> Sequence[Symptom]:
        """Start the sandbox where it does not run, and bring the scenarios about, their names kept back."""

    def drill(self) -> str | None:
        """Of which drill the world is the case now; None where it is of none, or no sandbox runs."""

    def connect(self, environment: str) -> Connections:
        """The systems of the sandbox's environment."""

    def reveal(self) -> None:
        """Let the sandbox's status name the scenarios again."""

    def heal(self) -> None:
        """Make the world healthy."""


@dataclass(frozen=True)
class Asked:
    """What kind of drill somebody wants. `scenario`: these, whatever the level is (empty: picked)."""

    level: int = 1
    seed: int | None = None
    scenario: tuple[str, ...] = ()
    environment: str = "sandbox"


@dataclass(frozen=True)
class Begun:
    """`anew`: it begins now; else it was going on. `staged`: its case was brought about now (again)."""

    drill: Drill
    anew: bool
    staged: bool


def begin(stage: Stage, asked: Asked | None) -> Begun:
    """A new drill; where one is going on, that one, with its case brought about again if the sandbox lost it.

    With `asked` a new one is meant: raises Refused where one is going on.
    """
    going = store.going_on()
    if going is not None:
        return _go_on(stage, going, asked)
    drill = _prepared(stage, asked or Asked())
    other = store.claim(drill)
    if other is not None:
        return _go_on(stage, other, asked)
    return Begun(_staged(stage, drill), anew=True, staged=True)


def hint(drill: Drill) -> Drill:
    """One more step of help, the last of `hints`. Raises Refused where there is none left; that costs nothing."""
    true = ways.causes(choice.unseal(drill.sealed, drill.salt))
    looked = frozenset(score.seen(drill, true))
    words = frozenset(typed.words for typed in drill.commands if typed.exit_code == 0)
    steps = ways.shortest(true, drill.symptoms, drill.environment, looked, words)
    looks = [step for step in steps if step.why != ways.MENDS]
    texts = [f"{step.why}  {step.command}" for step in looks if not step.looked]
    texts.append(_what_is_told(true))
    left = [text for text in texts if text not in drill.hints]
    if not left:
        raise Refused(
            "There is no more help than that: what tells the cause has been pointed out.",
            hint="Answer, or give up: toolkit drill give-up. `toolkit drill answer` lists the causes.",
        )
    return store.change(drill, lambda kept: replace(kept, hints=(*kept.hints, left[0])))


def answer(stage: Stage, drill: Drill, named: Sequence[str]) -> Drill:
    """Take an answer; a right one ends the drill. The sandbox stays as it is (see `leave`).

    Raises Refused where the world is not the drill's case any more.
    """
    true = choice.unseal(drill.sealed, drill.salt)
    _still_there(stage, drill)
    given = Answer(tuple(named), choice.judged(named, true), datetime.now(UTC))
    if given.verdict is not Verdict.RIGHT:
        return store.change(drill, lambda kept: replace(kept, answers=(*kept.answers, given)))
    return _ended(stage, drill, true, given)


def give_up(stage: Stage, drill: Drill) -> Drill:
    """End the drill without a right answer; it then says what the case was."""
    return _ended(stage, drill, choice.unseal(drill.sealed, drill.salt), None)


def forget(stage: Stage) -> None:
    """End a drill that was cut off before it had begun: nothing was done in it yet."""
    if stage.drill() is not None:
        stage.heal()
    store.drop()


def leave(stage: Stage, *, keep: bool) -> None:
    """After the end: the world healthy again, or kept as it is and its scenarios no secret any more."""
    if stage.drill() is not None:
        if keep:
            stage.reveal()
        else:
            stage.heal()


def _prepared(stage: Stage, asked: Asked) -> Drill:
    if asked.level not in choice.LEVELS:
        raise UsageError(f"There is no level {asked.level}.", hint=f"There are: {', '.join(map(str, choice.LEVELS))}.")
    seed = None
    if asked.scenario:
        names = asked.scenario
        choice.check(names, asked.level)
        stage.check(names)
    else:
        seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
        names = choice.pick(asked.level, seed, stage.against(), asked.environment)
    salt = secrets.token_hex(8)
    return Drill(
        id=secrets.token_hex(4),
        phase=Phase.PREPARING,
        environment=asked.environment,
        level=asked.level,
        seed=seed,
        salt=salt,
        sealed=choice.seal(names, salt),
        started=datetime.now(UTC),
    )


def _go_on(stage: Stage, going: Drill, asked: Asked | None) -> Begun:
    if asked is not None:
        raise Refused(
            "A drill is going on; there is one at a time.",
            hint="toolkit drill shows it again; toolkit drill give-up ends it.",
        )
    if going.phase is Phase.PREPARING or stage.drill() != going.id:
        return Begun(_staged(stage, going), anew=False, staged=True)
    return Begun(going, anew=False, staged=False)


def _staged(stage: Stage, drill: Drill) -> Drill:
    from toolkit.actions.journal import Journal

    names = choice.unseal(drill.sealed, drill.salt)
    symptoms = tuple(stage.bring_about(names, drill.environment, drill.id))
    connections = stage.connect(drill.environment)
    try:
        before = world.look(connections, symptoms)
    finally:
        connections.close()
    beside = tuple(name for name in before.causes if name not in names)  # the case itself stays sealed
    before = replace(before, causes=beside, untold=())
    if drill.phase is Phase.ON:  # brought about again: what was typed and done until now still counts
        return store.change(drill, lambda kept: replace(kept, symptoms=symptoms, before=before))
    known = len(Journal().operations())
    return store.change(
        drill,
        lambda kept: replace(
            kept,
            phase=Phase.ON,
            symptoms=symptoms,
            before=before,
            journal_before=known,
            started=datetime.now(UTC),
        ),
    )


def _still_there(stage: Stage, drill: Drill) -> None:
    if stage.drill() != drill.id:
        raise Refused(
            "The sandbox was stopped meanwhile, and the case went with it; this does not count as an answer.",
            hint="`toolkit drill` brings it about again, and the drill goes on.",
        )


def _ended(stage: Stage, drill: Drill, names: Sequence[str], given: Answer | None) -> Drill:
    from toolkit.actions.journal import Journal

    true = ways.causes(names)
    mended: bool | None = world.nothing_mended(true)
    damage: tuple[str, ...] = ()
    if stage.drill() == drill.id:  # else nobody can tell any more what became of it
        connections = stage.connect(drill.environment)
        try:
            now = world.look(connections, drill.symptoms)
        finally:
            connections.close()
        mended = world.mended(true, now)
        since = Journal().operations()[drill.journal_before :]
        damage = world.damage(true, drill.environment, since, drill.before, now)
    ended = datetime.now(UTC)

    def end(kept: Drill) -> Drill:
        whole = replace(kept, answers=(*kept.answers, given)) if given else kept
        return replace(
            whole,
            phase=Phase.OVER,
            ended=ended,
            scenario=tuple(names),
            score=score.score(whole, true, ended, mended, damage),
        )

    return store.change(drill, end)


def _what_is_told(true: Sequence[object]) -> str:
    many = "two things are" if len(true) > 1 else "one thing is"
    return f"You have seen all that tells it: {many} the matter. The causes to compare with stand where you answer."
