"""The permission to change the outside world.

Every method in `systems` that changes something takes a `Permit`. Only the gate issues one, for one confirmed
plan, and takes it back when that plan has been carried out: so a look can never become a change by mistake.
"""

from __future__ import annotations

from toolkit.errors import Refused


class Permit:
    """Proof that the gate let one plan through. `plan` is that plan's hash."""

    __slots__ = ("_open", "plan")

    def __init__(self, plan: str) -> None:
        self.plan = plan
        self._open = True

    def check(self) -> None:
        """Raise Refused unless the gate still holds this permit open."""
        if not self._open:
            raise Refused("This plan has already been carried out; a change needs a plan of its own.")

    def revoke(self) -> None:
        self._open = False
