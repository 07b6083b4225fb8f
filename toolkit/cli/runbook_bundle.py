"""A case that is handed over: what `runbook report CASE --bundle` and `runbook resume FILE.zip` do and say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import figures
from toolkit.cli import diagnostics, output
from toolkit.cli.output import Format
from toolkit.errors import Refused

if TYPE_CHECKING:
    from toolkit.walkthrough.case import Case
    from toolkit.walkthrough.record import Record


def written(record: Record, case: Case, file: Path, form: Format) -> None:
    """Put the case into `file`, and say what is in it."""
    from toolkit.walkthrough import bundle

    written = bundle.write(record, case, file)
    item = {"file": str(file), "bytes": written.size, "entries": dict(written.entries)}
    output.document(
        item, form, lambda: output.pairs([(name, figures.size(size)) for name, size in written.entries.items()])
    )
    diagnostics.narrate(f"{file}, {figures.size(written.size)}. Look into it before you send it.", "green")
    diagnostics.narrate(f"To go on with it: toolkit runbook resume {file.name}", "bold")


def taken_over(record: Record, file: Path, *, attended: bool) -> Case:
    """The case that a colleague's bundle becomes, or became when it came before. Raises Refused for a script where the
    runbook in it is not the one that this toolkit has: somebody should read that first."""
    from toolkit.walkthrough.bundle_reading import read
    from toolkit.walkthrough.library import library

    bundle = read(file)
    case, new = record.take_over(bundle)
    who = diagnostics.printable(bundle.who)
    if case.origin is None:
        diagnostics.narrate(f"This is your own case {case.id}.", "bold")
        return case
    if not new:
        diagnostics.narrate(f"From {who}; it came at {figures.rfc3339(case.origin.came)}, as case {case.id}.", "bold")
        return case
    earlier = [
        one.id for one in record.cases() if one.origin and one.origin.case == bundle.case.id and one.id != case.id
    ]
    diagnostics.narrate(f"From {who}, of {figures.rfc3339(bundle.made)}: now case {case.id} of yours.", "bold")
    if earlier:
        diagnostics.narrate(f"An earlier state of it is case {', '.join(earlier)}.")
    known = library().files()
    other = [
        name
        for name, text in sorted(bundle.pages.items())
        if name not in known or known[name].read_text("utf-8", "replace") != text
    ]
    if other:
        diagnostics.warn(f"Its text of {', '.join(other)} is not what you have: read what it does before you let it.")
        if not attended:
            raise Refused(
                f"Case {case.id} is kept, and not walked: a script follows no runbook's text that somebody sent.",
                hint=f"Read it: unzip -p {file.name} 'runbooks/*'. Then: toolkit runbook resume {case.id}",
            )
    return case
