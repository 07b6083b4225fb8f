"""The options that many commands share, each defined once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from toolkit.cli.output import Format


class Layer(StrEnum):
    """A layer that holds frames, as it is typed."""

    L2 = "l2"
    L3 = "l3"

    @property
    def level(self) -> Literal["L2", "L3"]:
        """As the core calls it."""
        return "L2" if self is Layer.L2 else "L3"


Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        "-e",
        metavar="NAME",
        envvar="TOOLKIT_ENV",
        show_envvar=False,
        help="Which environment (TOOLKIT_ENV). Needed where more than one is configured.",
    ),
]

Output = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT",
        envvar="TOOLKIT_OUTPUT",
        show_envvar=False,
        help="table, json, jsonl or plain (tab-separated, no headings).",
    ),
]

ReadOnly = Annotated[
    bool, typer.Option("--read-only", envvar="TOOLKIT_READ_ONLY", show_envvar=False, help="Refuse every change.")
]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and its hash; change nothing.")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. In a protected environment, --plan is needed too.")]

PlanHash = Annotated[
    str | None,
    typer.Option("--plan", metavar="HASH", help="Carry out exactly the plan that an earlier --dry-run printed."),
]
