"""The one gate between a plan and the world.

read-only? -> the plan -> consent -> the plan again (the same?) -> journal -> apply -> journal -> verify. It alone
issues permits, and without a permit no system changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from toolkit import paths
from toolkit.actions.journal import Journal
from toolkit.actions.plan import Action, Damage, Outcome, Plan, Result
from toolkit.checks.finding import Finding, Status
from toolkit.environments.model import Environment
from toolkit.errors import Refused, ToolkitError
from toolkit.permit import Permit
from toolkit.progress import Progress


@dataclass(frozen=True)
class Consent:
    """How somebody agrees to a plan: `ask` shows it to a person and gives back what they typed; `expected` is the hash
    of a plan that was shown before; `yes` agrees to whatever the plan is (never in a protected environment)."""

    ask: Callable[[Plan], str] | None = None
    expected: str | None = None
    yes: bool = False


@dataclass(frozen=True)
class Done:
    """What came of an action: its plan, the outcome, and what was found when looking again."""

    plan: Plan
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    operation: str = ""

    @property
    def well(self) -> bool:
        return self.outcome.result is Result.DONE and not any(f.status is Status.FAIL for f in self.findings)


class PlanMoved(Refused):
    """The world is not any more as the plan that was agreed to says. `plan` is the new one."""

    def __init__(self, message: str, plan: Plan) -> None:
        super().__init__(
            message, hint=f"Nothing was changed. Look at the new plan; to carry it out: --plan {plan.hash}"
        )
        self.plan = plan


def prepare(action: Action) -> Plan:
    """The action's plan, kept for ten minutes so that `--plan HASH` can name it. Changes nothing outside."""
    plan = action.plan()
    _remember(plan)
    return plan


def carry_out(
    action: Action, environment: Environment, consent: Consent, journal: Journal, progress: Progress, *, read_only: bool
) -> Done:
    """Take `action` through the gate. Raises Refused where a guard says no; then nothing was changed."""
    if read_only or environment.read_only:
        raise Refused(
            f"{environment.name} is read-only here: {action.name} was not carried out.",
            hint="--dry-run shows the plan all the same. --read-only, TOOLKIT_READ_ONLY or the configuration says so.",
        )
    plan = action.plan()
    if plan.empty:
        return Done(plan, Outcome(Result.DONE, "Nothing to do: it is already so."))
    _agree(plan, environment, consent)
    again = action.plan()
    if again.hash != plan.hash:
        _remember(again)
        raise PlanMoved("The world changed while the plan was being confirmed.", again)
    return _apply(action, again, journal, progress)


def confirmed(plan: Plan, typed: str) -> bool:
    """Whether what a person typed agrees to `plan`: a `y` for small damage, the name in full for large."""
    if plan.damage is Damage.LARGE:
        return typed == plan.confirm
    return typed.lower() in ("y", "yes")


def question(plan: Plan) -> str:
    """What to ask a person before `plan` is carried out."""
    if plan.damage is Damage.LARGE:
        return f"Type {plan.confirm!r} to carry this out:"
    return "Carry this out? [y/N]"


def _agree(plan: Plan, environment: Environment, consent: Consent) -> None:
    if consent.expected is not None:
        _check_expected(plan, consent.expected)
    elif consent.yes:
        if environment.protected:
            _remember(plan)
            raise Refused(
                f"{environment.name} is protected: --yes alone is not enough.",
                hint=f"Look at the plan with --dry-run, then pass it: --plan {plan.hash}",
            )
    elif consent.ask is not None:
        if not confirmed(plan, consent.ask(plan)):
            raise Refused("Not confirmed; nothing was changed.")
        if datetime.now(UTC) > plan.expires_at:
            raise Refused(
                "The plan was confirmed after more than ten minutes; nothing was changed.", hint="Start again."
            )
    else:
        _remember(plan)
        raise Refused(
            "There is nobody here to confirm this; nothing was changed.",
            hint=f"In a script: look at --dry-run, then pass --plan {plan.hash}"
            + ("" if environment.protected else ", or --yes")
            + ".",
        )


def _check_expected(plan: Plan, expected: str) -> None:
    kept = _kept(expected)
    if kept is None:
        _remember(plan)
        raise Refused(
            f"No plan {expected!r} is known here, or it is older than ten minutes; nothing was changed.",
            hint=f"--dry-run makes a plan. As things are now it is --plan {plan.hash}",
        )
    if plan.hash != expected:
        _remember(plan)
        raise PlanMoved(f"The world is not any more as plan {expected} says.", plan)


def _apply(action: Action, plan: Plan, journal: Journal, progress: Progress) -> Done:
    operation = journal.opened(plan)
    permit = Permit(plan.hash)
    try:
        outcome = action.apply(plan, permit, progress)
    except BaseException as problem:
        journal.failed(operation, plan, problem)
        raise
    finally:
        permit.revoke()
        _forget(plan)
    journal.closed(operation, plan, outcome)
    try:
        findings = action.verify(plan, outcome)
    except ToolkitError as problem:
        findings = (Finding("verify", Status.UNKNOWN, problem.message, hint=problem.hint, by_hand=problem.by_hand),)
    return Done(plan, outcome, findings, operation)


def _plans() -> Path:
    directory = paths.state() / "plans"
    directory.mkdir(exist_ok=True, mode=0o700)
    return directory


def _remember(plan: Plan) -> None:
    for file in _plans().iterdir():
        if _expired(file):
            file.unlink(missing_ok=True)
    (_plans() / plan.hash).write_text(json.dumps({"expires_at": plan.expires_at.isoformat()}), "utf-8")


def _kept(name: str) -> Path | None:
    file = _plans() / Path(name).name
    return file if file.is_file() and not _expired(file) else None


def _forget(plan: Plan) -> None:
    (_plans() / plan.hash).unlink(missing_ok=True)


def _expired(file: Path) -> bool:
    try:
        return datetime.fromisoformat(json.loads(file.read_text("utf-8"))["expires_at"]) < datetime.now(UTC)
    except (OSError, ValueError, KeyError):
        return True
