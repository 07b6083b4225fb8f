"""This workstation: its clock, and whether an earlier change was left half done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from toolkit.checks.finding import Finding, Status
from toolkit.environments import loading

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections

_TOLERABLE_SKEW = 30  # seconds; tokens and signed requests begin to fail at some minutes


def configuration(connections: Connections) -> Finding:
    """Are the keys filled in without which some command cannot work?"""
    missing = loading.unset(connections.environment, now=True)
    if missing:
        keys = "a key is empty" if len(missing) == 1 else f"{len(missing)} keys are empty"
        return Finding(
            "",
            Status.WARN,
            f"{keys}: {', '.join(missing)}",
            hint="`toolkit config check` says what goes there.",
        )
    return Finding(
        "", Status.OK, "every key is filled in", by_hand=(f"toolkit env show {connections.environment.name}",)
    )


def clock(connections: Connections) -> Finding:
    """Does this machine's clock agree with Vault's?"""
    theirs = connections.vault.health().server_time
    if theirs is None:
        return Finding("", Status.UNKNOWN, "Vault did not say what time it is")
    skew = time.time() - theirs.timestamp()
    if abs(skew) > _TOLERABLE_SKEW:
        return Finding(
            "",
            Status.WARN,
            f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Vault's",
            hint="Tokens expire and logs line up by the clock: switch time synchronisation on.",
            by_hand=("timedatectl status",),
        )
    return Finding("", Status.OK, "agrees with Vault's to within seconds", by_hand=("timedatectl status",))
