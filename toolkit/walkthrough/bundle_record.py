"""The form of what stands in a bundle's JSON files, in every part: what does not fit is refused when it is decoded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[\w-][\w.-]*$", max_length=100)]
Text = Annotated[str, Meta(max_length=100_000)]
Line = Annotated[str, Meta(max_length=1_000)]
Time = Annotated[datetime, Meta(tz=True)]
Step = Annotated[str, Meta(pattern=r"^[\w-]*$", max_length=1_000)]
Word = Annotated[str, Meta(pattern=r"^[\w.:+-]*$", max_length=200)]
Spot = tuple[Name, Step]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Contents(_Strict, frozen=True):
    """`bundle.json`. `files` are SHA-256 by entry."""

    kind: str
    format: Literal[1]
    toolkit: Line
    python: Line
    case: Annotated[str, Meta(pattern=r"^[0-9a-f]{4,32}$")]
    who: Line
    made: Time
    files: dict[str, str]


class TheirCase(_Strict, frozen=True):
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{4,32}$")]
    runbook: Name
    title: Line
    symptom: Text
    environment: Annotated[str, Meta(pattern=r"^[\w.-]*$", max_length=100)]
    who: Line
    started: Time
    ended: Time | None
    result: Literal["well", "wrong", "unknown"] | None
    inputs: dict[Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")], Text]
    here: Spot | None
    trail: tuple[Spot, ...]


class TheirStep(_Strict, frozen=True):
    runbook: Name
    step: Step
    title: Line
    state: Literal["open", "done", "skipped", "stuck"]
    note: Text
    visits: Annotated[int, Meta(ge=1)]
    opened: Time
    closed: Time | None


class TheirEvent(_Strict, frozen=True):
    """`content` has what events of its kind have (`_CONTENTS`)."""

    time: Time
    runbook: Name
    step: Step
    visit: int
    kind: str
    content: dict[str, Any]

    def __post_init__(self) -> None:
        form = _CONTENTS.get(self.kind)
        if form is None:
            raise ValueError(f"an event of the kind {self.kind[:40]!r}")
        msgspec.convert(self.content, form)


class CaseFile(_Strict, frozen=True):
    """`case.json`."""

    case: TheirCase
    steps: tuple[TheirStep, ...]
    events: tuple[TheirEvent, ...]

    def __post_init__(self) -> None:
        if (self.case.here is None) != (self.case.ended is not None):
            raise ValueError("a case is somewhere until it has ended")


class _Titled(msgspec.Struct):
    title: str
    by: str = ""


class _Closed(msgspec.Struct):
    state: Word
    note: str
    by: str = ""


class _Found(msgspec.Struct):
    name: Word
    status: Literal["ok", "warn", "fail", "unknown", "skipped"]
    well: bool
    ok: bool
    summary: str
    hint: str
    seconds: float
    evidence: list[str]
    by_hand: list[str]
    facts: dict[str, Any]
    inputs: dict[str, str]
    by: str = ""


class _Waited(msgspec.Struct):
    check: Word
    seconds: float
    limit: float
    by: str = ""


class _Acting(msgspec.Struct):
    block: int
    plan: Word
    operation: Word
    by: str = ""


class _Acted(msgspec.Struct):
    action: Word
    block: int
    title: str
    plan: Word
    operation: Word
    result: Word
    summary: str
    undo: list[str]
    left: list[str]
    findings: list[_Found]
    by: str = ""


class _Refused(msgspec.Struct):
    action: Word
    block: int
    message: str
    by: str = ""


class _Answered(msgspec.Struct):
    name: Word
    prompt: str
    answer: str
    by: str = ""


class _Chosen(msgspec.Struct):
    because: str
    goes_to: str
    by: str = ""


class _Ran(msgspec.Struct):
    command: str
    code: int
    output: str
    by: str = ""


_CONTENTS = {
    "opened": _Titled,
    "resumed": _Titled,
    "closed": _Closed,
    "found": _Found,
    "waited": _Waited,
    "acting": _Acting,
    "acted": _Acted,
    "refused": _Refused,
    "answered": _Answered,
    "chosen": _Chosen,
    "ran": _Ran,
}
