"""How commands take perturbations: typed one after the other, or one a line from a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from toolkit.errors import UsageError

Perts = Annotated[
    list[str] | None,
    typer.Argument(metavar="PERT...", help="A gene or compound, also at a concentration: 'REC-0000123 at 3'."),
]

FromFile = Annotated[
    str | None, typer.Option("--from", metavar="FILE", help="Perts, one a line (# begins a remark; -: stdin).")
]


def typed(perts: Sequence[str] | None, file: str | None, *, example: str) -> list[str]:
    """What was typed and what stands in `file`, each once. Raises UsageError, with `example`, where that is nothing."""
    queries = list(dict.fromkeys([*(perts or ()), *_from(file)]))
    if not queries:
        raise UsageError("No pert was named.", hint=f"For example: {example}")
    return queries


def _from(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(
            f"{file} cannot be read: {reason}.", hint="--from takes a text file with one pert a line."
        ) from error
    return [pert for line in text.splitlines() if (pert := line.partition("#")[0].strip())]
