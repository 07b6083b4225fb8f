"""How Python writes a traceback: chained ones, exception groups, syntax errors; line by line as it comes, or whole in a
message or a field. What is made of it stands in tracebacks.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from toolkit.logs.entry import Frame
from toolkit.logs.formats.colours import uncoloured
from toolkit.logs.formats.severities import WORDS

BEGIN: Final = "Traceback (most recent call last)"
_CHAINS: Final = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_MARGIN: Final = re.compile(r"[ ]{0,200}[|+](?: |$|-)")
_BARE: Final = re.compile(r"[\s|+]{0,200}(?:Exception Group )?$")
_FRAME: Final = re.compile(r'\s{1,200}File "([^"]{1,2048})", line (\d{1,9})(?:, in (.{1,500}))?$')
_EXCEPTION: Final = re.compile(r"([A-Za-z_][\w.<>]{0,300})(?::|$)")
_LONGEST_PREFIX: Final = 256
_FIELDS: Final = ("exception", "exc_info", "exc_text", "stack_trace", "stacktrace", "traceback", "stack")
_LIBRARY: Final = re.compile(r"^.*/(?:site-packages|dist-packages|lib/python[\d.]+)/")
_FRACTION: Final = re.compile(r"\.\d+Z")
_CHANGING: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Found:
    """`exception` is the last exception's type and the first line of its message; `chain` the types of all that there
    were, the last raised last. A group's frames are its own, then those of the first exception in it."""

    exception: str
    frames: tuple[Frame, ...]
    chain: tuple[str, ...]


class PythonTraceback:
    """A traceback whose lines come one by one. `prefix` is what a logger or container writes before each of them."""

    def __init__(self, first: str, prefix: str) -> None:
        self._prefix = _pattern_of(prefix) if prefix else None
        self._bodies = [first]
        self._state = "frames"
        self._blanks = 0

    @property
    def blank_at_end(self) -> int:
        """How many blank lines were taken last that turned out not to lead to another traceback."""
        return self._blanks if self._state == "blank" else 0

    def takes(self, text: str, goes_on: Callable[[str], bool]) -> bool:
        """Whether `text` is the next line. `goes_on` says of a line at the margin, behind the exception, whether it
        goes on with its message."""
        body = self._body(text)
        state = self._next(body, text, goes_on)
        if state:
            self._blanks = self._blanks + 1 if state == "blank" else 0
            self._state = state
            self._bodies.append(body)
        return bool(state)

    def read(self, own_code: Sequence[str]) -> Found:
        return parsed(self._bodies, own_code)

    def _body(self, text: str) -> str:
        if "\x1b" in text:
            text = uncoloured(text)
        found = self._prefix.match(text) if self._prefix is not None else None
        return text[found.end() :] if found is not None else text

    def _next(self, body: str, text: str, goes_on: Callable[[str], bool]) -> str:
        """The state after the line; "" where it is not the next."""
        state = self._state
        if not body.strip():
            return "" if state == "frames" else "chained" if state == "chained" else "blank"
        if _begins(body) and state == "chained":
            return "frames"
        if _MARGIN.match(body) is not None:
            return "" if state in ("blank", "chained") else "after" if state == "after" else "group"
        if state == "group":  # its last line has gone by: behind it a chain may go on
            state = "after"
        if state == "frames":
            if body[0] in " \t":
                return "frames"
            return "after" if _is_exception(body) else ""
        if state == "chained":
            return ""
        if state == "blank" and body.startswith(_CHAINS):
            return "chained"
        if (state == "after" and body[0] in " \t") or goes_on(text):
            return "after"
        return ""


def begins(text: str) -> PythonTraceback | None:
    """The traceback that begins with this line, if one does."""
    if "\n" in text:
        return None
    if "\x1b" in text:
        text = uncoloured(text)
    before, begin, behind = text.partition(BEGIN)
    if begin:
        if behind.strip() not in (":", ""):
            return None
        if _BARE.match(before) is not None:
            return PythonTraceback(text, "")
        return PythonTraceback(begin, before if len(before) <= _LONGEST_PREFIX else "")
    return PythonTraceback(text, "") if _FRAME.match(text) is not None else None


def parsed(lines: Iterable[str], own_code: Sequence[str]) -> Found:
    """What the lines of a traceback, chained or not, say."""
    sections: list[_Section] = []
    for line in lines:
        margin, body = _without_margin(line)
        if body is None or BEGIN in body or not sections:
            sections.append(_Section(margin))
        if body is not None and BEGIN not in body:
            sections[-1].take(body, own_code)
    said = [one for one in sections if one.exception or one.frames]
    if not said:
        return Found("", (), ())
    at = next((at for at in reversed(range(len(said))) if said[at].margin <= 2), len(said) - 1)
    last, within = said[at], said[at + 1 :]
    leaf = next((one for one in within if "ExceptionGroup" not in one.type), None)
    frames = last.frames + (leaf.frames if leaf is not None else [])
    return Found(last.exception, tuple(frames), tuple(one.type for one in [*within, *said[:at], last]))


def embedded(message: str, fields: Mapping[str, Any], own_code: Sequence[str]) -> Found | None:
    """The traceback in a message of several lines, or in a field of those that loggers put it into."""
    if BEGIN in message and "\n" in message:
        return parsed(message[message.rfind("\n", 0, message.index(BEGIN)) + 1 :].split("\n"), own_code)
    for key in _FIELDS:
        value = fields.get(key)
        if isinstance(value, str) and BEGIN in value:
            return parsed(value.split("\n"), own_code)
        if isinstance(value, list) and value and isinstance(value[0], dict) and "exc_type" in value[0]:
            return _structured(value, own_code)
    payload = fields.get("jsonPayload")
    if isinstance(payload, dict):
        return embedded("", {key: payload[key] for key in _FIELDS if key in payload}, own_code)
    return None


def fingerprint_of(found: Found) -> str:
    """The same for the same cause: made of the exceptions' types and the calls' files and functions, and neither of
    line numbers nor of values. How deep a recursion went does not count, nor where a library is installed."""
    calls = dict.fromkeys((_CHANGING.sub("#", _LIBRARY.sub("", frame.file)), frame.function) for frame in found.frames)
    text = "\n".join([*found.chain, *(f"{file}:{function}" for file, function in calls)])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def is_ours(file: str, own_code: Sequence[str]) -> bool:
    """Whether a file is our own: a module by its name (`phenoapp`) wherever it is installed, or what lies below a path
    (`/app/`) but is no installed library."""
    file = file.replace("\\", "/")
    library = _LIBRARY.match(file)
    for own in own_code:
        if "/" in own:
            if library is None and file.startswith(own):
                return True
        elif own:
            module = own.replace(".", "/")
            rest = file[library.end() :] if library is not None else file
            if f"/{rest}".startswith((f"/{module}/", f"/{module}.py")) or (library is None and f"/{module}/" in file):
                return True
    return False


class _Section:
    """One traceback of a chain. `margin` is the column of a group's bar; -1: there is none."""

    def __init__(self, margin: int) -> None:
        self.margin = margin
        self.exception = ""
        self.frames: list[Frame] = []

    @property
    def type(self) -> str:
        return self.exception.partition(":")[0].strip()

    def take(self, body: str, own_code: Sequence[str]) -> None:
        if self.exception or not body.strip():
            return
        found = _FRAME.match(body) if "File" in body[:210] else None
        if found is not None:
            ours = is_ours(found[1], own_code)
            self.frames.append(Frame(found[1], int(found[2]), found[3] or "<module>", ours=ours))
        elif body[0] not in " \t":
            if _is_exception(body):
                self.exception = body.rstrip()
        elif self.frames and not self.frames[-1].code and body.strip(" \t^~"):
            last = self.frames[-1]
            self.frames[-1] = Frame(last.file, last.line, last.function, body.strip(), last.ours)


def _structured(stacks: Sequence[Any], own_code: Sequence[str]) -> Found | None:
    """As structlog's dict_tracebacks writes them: the last exception first, then its causes."""
    types, exceptions, frames = [], [], []
    for number, stack in enumerate(stacks[:100]):
        if not isinstance(stack, dict):
            return None
        types.append(str(stack.get("exc_type", "")))
        first, _, _ = str(stack.get("exc_value", "")).partition("\n")
        exceptions.append(f"{types[-1]}: {first}" if first else types[-1])
        calls = stack.get("frames")
        for call in calls if number == 0 and isinstance(calls, list) else ():
            if isinstance(call, dict):
                file, at = str(call.get("filename", "")), call.get("lineno")
                code = str(call.get("line") or "")
                line = at if isinstance(at, int) else 0
                frames.append(Frame(file, line, str(call.get("name", "")), code, is_ours(file, own_code)))
    return Found(exceptions[0], tuple(frames), tuple(reversed(types)))


def _without_margin(line: str) -> tuple[int, str | None]:
    """The column of a group's bar (-1: there is none), and what stands behind it; None: the rule between two of the
    group's exceptions."""
    found = _MARGIN.match(line)
    if found is None:
        return -1, line
    if found[0][-1] == "-":
        return line.rfind("+", 0, found.end() + 2), None
    return found.end() - 1 if found[0][-1] in "|+" else found.end() - 2, line[found.end() :]


def _begins(body: str) -> bool:
    before, begin, _ = body.partition(BEGIN)
    return bool(begin) and _BARE.match(before) is not None


def _is_exception(body: str) -> bool:
    found = _EXCEPTION.match(body.rstrip()[:400])
    return found is not None and found[1] not in WORDS


def _pattern_of(prefix: str) -> re.Pattern[str]:
    """Lines that begin as `prefix` does, with other numbers (times). A time may lack its fraction, as Go writes them,
    and an empty line the space behind it."""
    pieces = [re.escape(piece) for piece in _FRACTION.sub("Z", prefix.rstrip()).split("Z")]
    numbered = [re.sub(r"\d+", r"\\d{1,20}", piece) for piece in pieces]
    return re.compile(r"(?:\.\d{1,20})?Z".join(numbered) + (r"(?: |$)" if prefix[-1:].isspace() else ""))
