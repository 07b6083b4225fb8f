"""A case in one file, to hand over: report, record, the runbooks' text as walked, versions; nothing else.

How such a file is opened is in bundle_reading.py; how it becomes a case of one's own is in record.py.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import platform
import re
import socket
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from toolkit import __version__
from toolkit.errors import Failed, UsageError
from toolkit.secret import MASK, Secret, scrub
from toolkit.walkthrough.case import Case
from toolkit.walkthrough.record import Record
from toolkit.walkthrough.report import report

KIND: Final = "toolkit runbook case"
FORMAT: Final = 1
CONTENTS, CASE, REPORT, RUNBOOKS = "bundle.json", "case.json", "report.md", "runbooks/"

# What a credential looks like that this process never held: pasted into a note, or printed by a command that was run.
_CREDENTIALS: Final = re.compile(
    r"""\b(?:hv[sbr]|[sb])\.[A-Za-z0-9_-]{20,}          # Vault
      | \beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*               # JWT
      | \bya29\.[\w-]{20,} | \bgh[pousr]_\w{30,} | \bglpat-[\w-]{20,}
      | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
      | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)                 # a URL's user and password
      | (?i:(?<=bearer\ ))[\w.~+/=-]{12,}
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMED: Final = re.compile(
    r"""(?i:(?P<name>(?:token|password|passwd|secret|auth|api[_-]?key)["']?\s*[=:]\s*["']?))"""
    r"""(?=[^\s"']*\d)[\w+/.=~-]{12,}"""
)


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle that was written: its entries with their sizes in bytes, and its own."""

    file: Path
    entries: Mapping[str, int]
    size: int


def write(record: Record, case: Case, file: Path) -> Written:
    """Put the case into `file`. Raises UsageError where that exists or is no .zip, Failed where it cannot be written.

    The record was scrubbed when it was made; here it is once more, by what credentials look like too.
    """
    if file.suffix.lower() != ".zip":
        raise UsageError(f"A bundle's name ends in .zip, not {file.name!r}.", hint="For example --bundle case.zip")
    if file.exists():
        raise UsageError(f"{file} exists.", hint="Give the bundle another name, or move that file away.")
    _know_own_credentials()
    entries = _entries(record, case)
    entries[CONTENTS] = _json(
        {
            "kind": KIND,
            "format": FORMAT,
            "toolkit": __version__,
            "python": platform.python_version(),
            "case": case.id,
            "who": f"{getpass.getuser()}@{socket.gethostname()}",
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in entries.items()},
        }
    )
    _write(file, entries)
    return Written(file, {name: len(content) for name, content in sorted(entries.items())}, file.stat().st_size)


def _entries(record: Record, case: Case) -> dict[str, bytes]:
    known = {
        "case": {
            "id": case.id,
            "runbook": case.runbook,
            "title": case.title,
            "symptom": case.symptom,
            "environment": case.environment,
            "who": case.who,
            "started": case.started.isoformat(),
            "ended": case.ended.isoformat() if case.ended else None,
            "result": case.result,
            "inputs": dict(case.inputs),
            "here": case.here,
            "trail": case.trail,
        },
        "steps": [
            {
                "runbook": step.runbook,
                "step": step.step,
                "title": step.title,
                "state": step.state,
                "note": step.note,
                "visits": step.visits,
                "opened": step.opened.isoformat(),
                "closed": step.closed.isoformat() if step.closed else None,
            }
            for step in record.steps(case.id)
        ],
        "events": [
            {
                "time": event.time.isoformat(),
                "runbook": event.runbook,
                "step": event.step,
                "visit": event.visit,
                "kind": event.kind,
                "content": dict(event.content),
            }
            for event in record.events(case.id)
        ],
    }
    entries = {CASE: _json(clean(known)), REPORT: clean(report(record, case)).encode()}
    for name, text in record.pages(case.id).items():
        entries[f"{RUNBOOKS}{name}.md"] = scrub(_CREDENTIALS.sub(MASK, text)).encode()
    return entries


def clean(value: Any) -> Any:
    """`value` (texts in lists and mappings) without known secrets, and without what looks like a credential."""
    if isinstance(value, str):
        return scrub(_NAMED.sub(rf"\g<name>{MASK}", _CREDENTIALS.sub(MASK, value)))
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(one) for key, one in value.items()}
    return [clean(one) for one in value] if isinstance(value, list | tuple) else value


def _know_own_credentials() -> None:
    """Hold this workstation's Vault token, so that it is scrubbed though Vault was not asked."""
    Secret(os.environ.get("VAULT_TOKEN", "").strip())
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        Secret((Path.home() / ".vault-token").read_text("utf-8").strip())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _write(file: Path, entries: Mapping[str, bytes]) -> None:
    """All of it or nothing: a bundle that was cut short never has the name."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(number, "wb") as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as packed:
                for entry in (CONTENTS, REPORT, *sorted(set(entries) - {CONTENTS, REPORT})):
                    packed.writestr(entry, entries[entry])
            os.link(name, file)  # never over another's file
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        raise UsageError(f"{file} exists.", hint="Give the bundle another name, or move that file away.") from None
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}.", hint="Choose another place.") from error
