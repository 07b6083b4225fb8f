"""The sandbox as a drill's stage: the one door through which drills reach it. Both faces are handed it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from toolkit import opening
from toolkit.drills.drill import Symptom

if TYPE_CHECKING:
    from toolkit.systems.connections import Connections


class SandboxStage:
    """See `toolkit.drills.course.Stage`. `narrate` is told, in a line for people, what was started."""

    def __init__(self, narrate: Callable[[str], None]) -> None:
        self._narrate = narrate

    def against(self) -> Mapping[str, Collection[str]]:
        from toolkit.sandbox.scenarios import SCENARIOS

        return {name: [other for other, _ in scenario.against] for name, scenario in SCENARIOS.items()}

    def check(self, names: Sequence[str]) -> None:
        from toolkit.sandbox import scenarios

        scenarios.chosen(names)

    def bring_about(self, names: Sequence[str], environment: str, drill: str) -> Sequence[Symptom]:
        from toolkit.sandbox import client

        self._narrate("Bringing a case about in the sandbox …")
        if client.start().started_now:
            self._narrate(opening.STARTED)
        status = client.apply_scenario(names, environment, drill)
        return [Symptom(one["who"], one["words"], one["pert"] or "", one["group"] or "") for one in status["symptoms"]]

    def drill(self) -> str | None:
        from toolkit.sandbox import client

        status = client.status()
        return status.get("drill") if status else None

    def connect(self, environment: str) -> Connections:
        self._narrate("Asking the diagnosis how the world is …")
        return opening.choose(environment, self._narrate).connect()

    def reveal(self) -> None:
        from toolkit.sandbox import client

        client.reveal()

    def heal(self) -> None:
        from toolkit.sandbox import client

        client.apply_scenario(["healthy"])
