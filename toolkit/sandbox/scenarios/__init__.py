"""The states that the sandbox's world can be brought into, each as it comes about in real life.

A scenario changes the world itself, never a flag that a check reads. They can be had together; they come about in the
order of the table here. What they need of the world is imported when they come about: the command line reads the table
too.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from toolkit.errors import UsageError
from toolkit.sandbox.scenarios.groups import GROUP_EVICTED, NAN_VECTORS, PERT_IN_ANOTHER_GROUP, VECTORS_DENORMALIZED
from toolkit.sandbox.scenarios.loader import TRANSFORMATION_MISSING
from toolkit.sandbox.scenarios.people import ACCESS_NOT_IN_OKTA_GROUP
from toolkit.sandbox.scenarios.questions import NEVER_SCREENED, PERT_MISSPELLED, WRONG_CONCENTRATION
from toolkit.sandbox.scenarios.rebuilds import (
    HALF_WRITTEN_GROUP,
    L1_STALE,
    NOT_REBUILT,
    REBUILD_FAILED,
    REBUILD_RUNNING,
    REDIS_FLUSHED,
)
from toolkit.sandbox.scenarios.scenario import Scenario, Symptom
from toolkit.sandbox.scenarios.systems import IMAGE_DRIFT, PROXY_MOVED, TOKEN_ROTATED, VAULT_SEALED, WRONG_CLUSTER

__all__ = ["HEALTHY", "HEALTHY_HELP", "SCENARIOS", "Scenario", "Symptom", "chosen"]

HEALTHY = "healthy"
HEALTHY_HELP = "Everything as it should be."

# In this order they come about, where there are several: what was built before what became of it, a run before what
# would keep it from running.
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        PERT_MISSPELLED,
        NEVER_SCREENED,
        WRONG_CONCENTRATION,
        ACCESS_NOT_IN_OKTA_GROUP,
        GROUP_EVICTED,
        PERT_IN_ANOTHER_GROUP,
        VECTORS_DENORMALIZED,
        NAN_VECTORS,
        TRANSFORMATION_MISSING,
        WRONG_CLUSTER,
        IMAGE_DRIFT,
        L1_STALE,
        HALF_WRITTEN_GROUP,
        REBUILD_FAILED,
        REDIS_FLUSHED,
        REBUILD_RUNNING,
        NOT_REBUILT,
        TOKEN_ROTATED,
        PROXY_MOVED,
        VAULT_SEALED,
    )
}


def chosen(names: Sequence[str]) -> list[Scenario]:
    """The scenarios of these names, in the order in which they come about.

    Raises UsageError for an unknown one, and for two that cannot be true at once.
    """
    for name in names:
        if name not in SCENARIOS and name != HEALTHY:
            near = difflib.get_close_matches(name, (*SCENARIOS, HEALTHY), n=1)
            raise UsageError(
                f"No scenario is called {name!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join((HEALTHY, *SCENARIOS))}.",
            )
    if HEALTHY in names and len(set(names)) > 1:
        raise UsageError("healthy goes with no other scenario.", hint="Leave it out: each scenario begins healthy.")
    scenarios = [scenario for name, scenario in SCENARIOS.items() if name in names]
    for scenario in scenarios:
        for other, why in scenario.against:
            if other in names:
                raise UsageError(
                    f"{scenario.name} and {other} cannot both be true: {why}.", hint="Choose one of the two."
                )
    return scenarios
