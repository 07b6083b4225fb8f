"""An action whose world is a dictionary: what the gate does with an action shows on it."""

from __future__ import annotations

from collections.abc import Callable

from toolkit.actions.plan import Change, Damage, Outcome, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.environments.model import Environment
from toolkit.errors import ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress

ENVIRONMENT = Environment(name="here")
PROTECTED = Environment(name="prod", protected=True)


class Empty:
    """Empties `world`."""

    name = "test.empty"

    def __init__(self, world: dict[str, str], damage: Damage = Damage.LARGE, environment: str = "here") -> None:
        self.world = world
        self.damage = damage
        self.environment = environment
        self.permits: list[Permit] = []
        self.problem: BaseException | None = None
        self.during_apply: Callable[[], None] | None = None

    def plan(self) -> Plan:
        return Plan(
            action=self.name,
            environment=self.environment,
            title="Empty the world",
            where="a dictionary",
            changes=tuple(Change("delete", key) for key in sorted(self.world)),
            damage=self.damage,
            confirm=self.environment,
            undo="none",
            by_hand=("world.clear()",),
            preconditions=tuple(sorted(self.world.items())),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        permit.check()
        self.permits.append(permit)
        progress.step("emptying")
        if self.during_apply:
            self.during_apply()
        if self.problem:
            raise self.problem
        self.world.clear()
        return Outcome(Result.DONE, "emptied", undo=("fill it again",))

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        if isinstance(self.problem, ToolkitError):
            raise self.problem
        return (Finding("empty", Status.FAIL if self.world else Status.OK, f"{len(self.world)} left"),)
