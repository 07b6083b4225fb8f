"""What `toolkit biohive status` and `get` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit import figures
from toolkit.checks.finding import Finding
from toolkit.cli import output
from toolkit.cli.acting import STYLES
from toolkit.cli.diagnostics import printable
from toolkit.cli.output import Column

if TYPE_CHECKING:
    from rich.console import RenderableType

    from toolkit.systems.biohive.fetching import Result
    from toolkit.systems.biohive.there import Link, There


@dataclass
class Status:
    """What is known of BioHive: the way in, and, once in, what is there."""

    environment: str
    entry: Finding
    there: There | None = None
    toolkit: Finding | None = None
    link: Link | None = None
    unmeasured: str = ""

    def document(self) -> dict[str, Any]:
        facts = {key: value for key, value in self.entry.facts.items() if key != "configured"}
        link = None
        if self.link is not None:
            link = {
                "bytes": self.link.bytes,
                "seconds": self.link.seconds,
                "bytes_per_second": round(self.link.bytes_per_second),
            }
        return {
            "environment": self.environment,
            **facts,
            "problem": "" if facts["in"] else self.entry.summary,
            "hint": self.entry.hint,
            "by_hand": list(self.entry.by_hand),
            "there": self.there,
            "toolkit_same": None if self.toolkit is None else self.toolkit.facts["same"],
            "link": link,
            "link_problem": self.unmeasured,
        }

    def plain(self) -> str:
        """in, host key, toolkit there, bytes a second"""
        there = self.there.toolkit_version if self.there else ""
        rate = str(round(self.link.bytes_per_second)) if self.link else ""
        words = ["in" if self.entry.facts["in"] else "not in", str(self.entry.facts["host_key"]), there, rate]
        return "\t".join(words)

    def drawn(self) -> Sequence[RenderableType]:
        from rich.text import Text

        entry = self.entry
        first, *more = entry.summary.split("\n")
        parts: list[RenderableType] = [_said(entry, first), *(Text(f"  {line}") for line in more)]
        parts.append(Text(f"  {'; '.join(entry.evidence)}", style="dim"))
        for finding in (entry, self.toolkit):
            if finding is None:
                continue
            if finding is not entry:
                parts.append(_said(finding, finding.summary))
            if finding.hint:
                parts.append(Text.assemble(("  next     ", "dim"), printable(finding.hint)))
            if not finding.well:
                parts += [Text.assemble(("  by hand  ", "dim"), command) for command in finding.by_hand]
        if self.there is not None:
            parts += [Text(), output.pairs(self._pairs(self.there))]
        return parts

    def _pairs(self, there: There) -> list[tuple[str, str]]:
        pairs = [("machine", printable(f"{there.host}, {there.system}"))]
        pairs += [("free", printable(f"{figures.size(room.free)} at {room.place}")) for room in there.room]
        pairs.append(("uv", printable(f"{there.uv_version}, {there.uv}") if there.uv else "not there"))
        pairs.append(("Jupyter", printable(there.jupyter) or "not on the PATH"))
        pairs.append(("SLURM", printable(there.slurm) or "not on the PATH"))
        if self.link is not None:
            speed = figures.size(round(self.link.bytes_per_second))
            pairs.append(("Google's storage", f"{speed}/s, measured now over {figures.size(self.link.bytes)}"))
        elif self.unmeasured:
            pairs.append(("Google's storage", printable(self.unmeasured)))
        return pairs


FILE_COLUMNS = [
    Column("path", lambda one: one.path),
    Column("outcome", lambda one: one.outcome),
    Column("file", lambda one: one.file),
    Column("bytes", lambda one: str(one.bytes)),
    Column("sha256", lambda one: one.sha256),
    Column("why", lambda one: one.why),
]


def fetched(result: Result) -> Sequence[RenderableType]:
    """The files, and in one line what became of them."""
    from rich.text import Text

    counted = Counter(one.outcome for one in result.files)
    said = [f"{counted[outcome]:,} {outcome}" for outcome in ("fetched", "already there", "failed") if counted[outcome]]
    head = f"{'; '.join(said) or 'No file is there'}; {figures.size(result.bytes_moved)} moved"
    parts: list[RenderableType] = [Text(head, style="bold")]
    if result.files:
        columns = [
            Column("file", lambda one: printable(one.file or one.path)),
            Column("size", lambda one: figures.size(one.bytes), right=True),
            Column("", lambda one: one.outcome, style=lambda one: "red" if one.why else "green"),
        ]
        parts += [Text(), output.table(result.files, columns)]
    parts += [Text(printable(f"! {one.path}: {one.why}"), style="red") for one in result.files if one.why]
    return parts


def _said(finding: Finding, text: str) -> RenderableType:
    from rich.text import Text

    return Text.assemble((f"{finding.status.sign} ", STYLES[finding.status]), printable(text))
