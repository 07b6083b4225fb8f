"""Puts the toolkit on BioHive, in the user's own space, in the version that runs here."""

from __future__ import annotations

import shlex
from typing import Final

from toolkit import __version__, figures
from toolkit.actions.plan import Change, Damage, Fact, Outcome, Plan, Result
from toolkit.checks import biohive as checks
from toolkit.checks.finding import Finding, Status
from toolkit.errors import Failed, Refused
from toolkit.permit import Permit
from toolkit.progress import Progress
from toolkit.systems.biohive import installing
from toolkit.systems.biohive.there import There
from toolkit.systems.biohive.wheel import Wheel, wheel
from toolkit.systems.connections import Connections

_NEEDS_ROOM: Final = 1_500_000_000  # bytes: pyarrow, matplotlib and the others, with uv's cache


class InstallToolkit:
    """`anew`: also where this version is there already."""

    name = "biohive.install"

    def __init__(self, connections: Connections, *, anew: bool = False) -> None:
        self.connections = connections
        self.anew = anew
        self._wheel: Wheel | None = None

    def plan(self) -> Plan:
        """Look at what is there. Raises Failed where uv is missing, Refused where there is no room."""
        biohive, part = self.connections.biohive, self.connections.environment.biohive
        there = biohive.look()
        target = biohive.target
        if not there.uv:
            raise Failed(
                f"There is no uv on {target.host}, with which the toolkit is installed there.",
                hint="Put uv there; it goes into ~/.local/bin and needs no rights.",
                by_hand=(target.by_hand(checks.GET_UV),),
            )
        if there.room and there.room[0].free < _NEEDS_ROOM:
            raise Refused(
                f"{there.room[0].place} on {target.host} has {figures.size(there.room[0].free)} free; the toolkit and "
                f"what it needs take up to {figures.size(_NEEDS_ROOM)}.",
                hint="Make room there first.",
                by_hand=(target.by_hand("du -sh ~/.cache ~/.local"),),
            )
        same = there.toolkit_version == __version__ and not self.anew
        source, changes = self._what(there)
        return Plan(
            action=self.name,
            environment=self.connections.environment.name,
            title=f"Put toolkit {__version__} on BioHive",
            where=f"{target.label}, as {target.user}",
            changes=() if same else changes,
            damage=Damage.SMALL,
            confirm=target.host,
            undo=target.by_hand("uv tool uninstall mapapp-toolkit"),
            by_hand=self._by_hand(source),
            preconditions=(
                ("host", f"{target.hostname}:{target.port}"),
                ("there", there.toolkit_version),
                ("from", part.requirement or self._built().sha256),
            ),
            facts=(
                Fact("there now", there.toolkit_version or "no toolkit"),
                Fact("uv", f"{there.uv_version} at {there.uv}"),
                *(Fact("free", f"{figures.size(room.free)} at {room.place}") for room in there.room),
                Fact("from", source),
                Fact("needs", "Python and the packages it needs, from the registry that uv is configured for there"),
            ),
        )

    def apply(self, plan: Plan, permit: Permit, progress: Progress) -> Outcome:
        """Copy the wheel, and have uv install it. A try that fails leaves what was there before."""
        biohive, part = self.connections.biohive, self.connections.environment.biohive
        progress.check_stop()
        if part.requirement:
            said = installing.from_requirement(biohive, part.requirement, permit, progress)
        else:
            said = installing.from_wheel(biohive, self._built(), permit, progress)
        del plan
        return Outcome(
            Result.DONE,
            f"toolkit {__version__} is installed on {biohive.target.host}.",
            undo=(biohive.target.by_hand("uv tool uninstall mapapp-toolkit"),),
            details=tuple(said),
        )

    def verify(self, plan: Plan, outcome: Outcome) -> tuple[Finding, ...]:
        """Does the version there say that it is this one?"""
        del plan, outcome
        found = checks.there_finding(self.connections, self.connections.biohive.look())
        status = found.status if found.facts["same"] else Status.FAIL
        return (Finding("toolkit", status, found.summary, found.hint, 0.0, found.evidence, found.by_hand, found.facts),)

    def _built(self) -> Wheel:
        if self._wheel is None:
            self._wheel = wheel()
        return self._wheel

    def _what(self, there: There) -> tuple[str, tuple[Change, ...]]:
        part = self.connections.environment.biohive
        verb = "replace" if there.toolkit else "install"
        old = f" {there.toolkit_version} with {__version__}" if there.toolkit else f" {__version__}"
        installed = Change(verb, f"toolkit{old}, in ~/.local/share/uv/tools and ~/.local/bin")
        if part.requirement:
            return part.requirement, (installed,)
        built = self._built()
        copied = Change("copy", f"{built.name} to {installing.FOLDER}", 1, "file", len(built.content))
        return f"a wheel of this installation, sha256 {built.sha256[:12]}", (copied, installed)

    def _by_hand(self, source: str) -> tuple[str, ...]:
        del source
        target, part = self.connections.biohive.target, self.connections.environment.biohive
        if part.requirement:
            words = shlex.join(["uv", "tool", "install", "--force", "--python", part.python, part.requirement])
            return (target.by_hand(words),)
        name = self._built().name
        words = f"uv tool install --force --python {shlex.quote(part.python)} ./{name}"
        return (
            "uv build --wheel   # in a clone",
            shlex.join(["scp", *target.options, f"dist/{name}", f"{target.host}:"]),
            target.by_hand(words),
        )
