"""Opening a bundle that somebody sent: nothing in it is trusted, and nothing of it is written to a file.

Entries have the names that bundles have, or it is refused; each is read up to a limit; the record in it has to be of
the right form in every part. What a bundle is made of is in bundle.py.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from toolkit.errors import NotFound, Refused, UsageError
from toolkit.walkthrough.bundle import CASE, CONTENTS, FORMAT, KIND, REPORT, RUNBOOKS
from toolkit.walkthrough.bundle_record import CaseFile, Contents
from toolkit.walkthrough.case import Case, Event, Result, State, StepRecord
from toolkit.walkthrough.parsing import parse

_LARGEST: Final = {CONTENTS: 1 << 20, REPORT: 16 << 20, CASE: 64 << 20}  # bytes, unpacked
_LARGEST_PAGE: Final = 1 << 20
_LARGEST_FILE: Final = 64 << 20
_MOST_ENTRIES: Final = 200
_ENTRY: Final = re.compile(rf"{RUNBOOKS}(?P<name>[\w-][\w.-]{{0,99}})\.md")


@dataclass(frozen=True)
class Bundle:
    """A colleague's case. `case.id` is theirs; `who` made the bundle at `made`; `digest` is that of its record."""

    case: Case
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    pages: Mapping[str, str]
    who: str
    made: datetime
    toolkit: str
    digest: str


def read(file: Path) -> Bundle:
    """The bundle in `file`. Raises NotFound, and Refused for what is no bundle, or a damaged, foreign or newer one."""
    try:
        with zipfile.ZipFile(file) as packed:
            if file.stat().st_size > _LARGEST_FILE:
                raise _refused(file, f"it is larger than {_LARGEST_FILE >> 20} MB")
            entries = _entries(file, packed)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(file, "it is no whole zip file") from error
    contents = _contents(file, entries)
    for name, content in entries.items():
        if name != CONTENTS and contents.files.get(name) != hashlib.sha256(content).hexdigest():
            raise _refused(file, f"{name} is not what it was when the bundle was made")
    if contents.files.keys() - entries.keys():
        raise _refused(file, f"{min(contents.files.keys() - entries.keys())} is missing from it")
    return _bundle(file, contents, entries)


def _entries(file: Path, packed: zipfile.ZipFile) -> dict[str, bytes]:
    """Every entry's content. The names are looked at before anything is unpacked."""
    infos = packed.infolist()
    names = [info.filename for info in infos]
    if CONTENTS not in names:
        raise _refused(file, f"it has no {CONTENTS}: it was not made by `toolkit runbook report --bundle`")
    if len(infos) > _MOST_ENTRIES or len(set(names)) != len(names):
        raise _refused(file, "it has too many entries, or two of the same name")
    for info in infos:
        if info.filename not in _LARGEST and _ENTRY.fullmatch(info.filename) is None:
            raise _refused(file, f"{info.filename!r} does not belong into a bundle")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(file, f"{info.filename} is encrypted, or packed in a way that bundles are not")
    entries = {}
    for info in infos:
        limit = _LARGEST.get(info.filename, _LARGEST_PAGE)
        with packed.open(info) as opened:
            content = opened.read(limit + 1)  # what the entry says of its own size is not believed
        if len(content) > limit:
            raise _refused(file, f"{info.filename} is larger than {limit >> 20} MB unpacked")
        entries[info.filename] = content
    return entries


def _contents(file: Path, entries: Mapping[str, bytes]) -> Contents:
    """Whose it is, once it is sure that this toolkit knows its format."""
    try:
        said: Any = msgspec.json.decode(entries[CONTENTS])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused(file, f"its {CONTENTS} cannot be read") from error
    if not isinstance(said, dict) or said.get("kind") != KIND:
        raise _refused(file, "it was not made by `toolkit runbook report --bundle`")
    if isinstance(said.get("format"), int) and said["format"] > FORMAT:
        raise Refused(
            f"{file} is of format {said['format']}, made by toolkit {str(said.get('toolkit'))[:40]!r}; "
            f"this toolkit reads format {FORMAT}.",
            hint="Update the toolkit; the report in it can be read as it is: `unzip -p FILE.zip report.md`.",
        )
    try:
        return msgspec.convert(said, Contents)
    except msgspec.ValidationError as error:
        raise _refused(file, f"its {CONTENTS} is wrong: {error}") from error


def _bundle(file: Path, contents: Contents, entries: Mapping[str, bytes]) -> Bundle:
    if CASE not in entries:
        raise _refused(file, f"it has no {CASE}")
    try:
        record = msgspec.json.decode(entries[CASE], type=CaseFile)
        pages = {name[len(RUNBOOKS) : -3]: text.decode() for name, text in entries.items() if _ENTRY.fullmatch(name)}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused(file, f"its {CASE} or a runbook in it is wrong: {error}") from error
    case = record.case
    for runbook, step in [(case.runbook, None), *([case.here] if case.here else [])]:
        page = parse(pages[runbook], runbook) if runbook in pages else None
        if page is None or page.problems or (step is not None and page.step(step) is None):
            raise _refused(file, f"the runbook {runbook} is not in it as the case needs it")
    theirs = Case(
        id=case.id,
        runbook=case.runbook,
        title=case.title,
        symptom=case.symptom,
        environment=case.environment,
        who=case.who,
        started=case.started,
        ended=case.ended,
        result=Result(case.result) if case.result else None,
        inputs=case.inputs,
        here=case.here,
        trail=case.trail,
    )
    steps = tuple(
        StepRecord(
            one.runbook, one.step, one.title, State(one.state), one.note, one.visits, one.opened, one.closed
        )
        for one in record.steps
    )  # fmt: skip
    events = tuple(
        Event(number, one.time, one.runbook, one.step, one.visit, one.kind, one.content)
        for number, one in enumerate(record.events)
    )
    digest = hashlib.sha256(entries[CASE]).hexdigest()
    return Bundle(theirs, steps, events, pages, contents.who, contents.made, contents.toolkit, digest)


def _refused(file: Path, why: str) -> Refused:
    return Refused(f"{file} is not taken for a case: {why}.", hint="Ask whoever sent it to make and send it anew.")
