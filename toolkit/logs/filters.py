"""Which lines are wanted: by text, level, field, and by the name of a perturbation or group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from toolkit.errors import UsageError
from toolkit.logs.entry import Entry, Line, Severity
from toolkit.logs.expressions import Expression, words
from toolkit.logs.reading import level_of

_TEST: Final = re.compile(r"([^=~!]{1,200})(!=|!~|=|~)(.*)", re.DOTALL)
_OWN: Final = ("severity", "source", "origin", "message", "exception", "fingerprint")
_DEEPEST: Final = 70
_LEVELS: Final = "debug, info, notice, warning, error, critical, alert, emergency"


@dataclass(frozen=True, slots=True)
class FieldTest:
    """`key=value`, `key!=value`, `key~regex` or `key!~regex`. A dotted key goes into nested fields; `severity`,
    `origin`, `exception` and the like are what the entry says itself. A field that is a list is each of its values."""

    key: str
    value: str
    expression: Expression | None
    wanted: bool

    @classmethod
    def typed(cls, text: str, *, ignore_case: bool = False) -> FieldTest:
        """As somebody typed it; raises UsageError."""
        found = _TEST.fullmatch(text)
        if found is None or not found[1].strip():
            raise UsageError(
                f"--field {text!r} is no test of a field.",
                hint="Write key=value or key~regex, for example: --field group=g0 --field httpRequest.status~^5.",
            )
        key, operator, value = found[1].strip(), found[2], found[3]
        expression = None
        if operator.endswith("~"):
            expression = Expression(value, ignore_case=ignore_case, option=f"--field {key}{operator}")
        return cls(key, value, expression, not operator.startswith("!"))

    def holds(self, entry: Entry) -> bool:
        return any(self._fits(value) for value in values_of(entry, self.key)) is self.wanted

    def _fits(self, value: Any) -> bool:
        text = text_of(value)
        if self.expression is not None:
            return self.expression.found(text)
        return text == self.value or (type(value) in (int, float) and _same_number(value, self.value))


@dataclass(frozen=True, slots=True)
class Filter:
    """Every `grep` must be found and no `exclude`; the severity is `level` or above; every field test holds; any of the
    `names` stands there as a word, in the line or in a field."""

    grep: tuple[Expression, ...] = ()
    exclude: tuple[Expression, ...] = ()
    level: Severity = Severity.DEFAULT
    fields: tuple[FieldTest, ...] = ()
    names: Expression | None = None

    @classmethod
    def typed(
        cls,
        *,
        grep: Sequence[str] = (),
        exclude: Sequence[str] = (),
        level: str = "",
        fields: Sequence[str] = (),
        names: Sequence[str] = (),
        ignore_case: bool = False,
    ) -> Filter:
        """From what somebody typed; raises UsageError that says what is wrong, and where."""
        least = level_of(level) if level.strip() else Severity.DEFAULT
        if least is None:
            raise UsageError(f"There is no level {level!r}.", hint=f"There are: {_LEVELS}.")
        named = tuple(name for name in names if name.strip())
        return cls(
            tuple(Expression(text, ignore_case=ignore_case, option="--grep") for text in grep if text),
            tuple(Expression(text, ignore_case=ignore_case, option="--exclude") for text in exclude if text),
            least,
            tuple(FieldTest.typed(text, ignore_case=ignore_case) for text in fields),
            words(named) if named else None,
        )

    def __bool__(self) -> bool:
        """Whether anything is left out at all."""
        return self != Filter()

    def keeps_line(self, line: Line) -> bool:
        """False where the line's entry would certainly not be kept: asked before it is read. True says nothing yet.

        It must not be asked where tracebacks are folded: their lines stand for each other.
        """
        known = line.known
        if known is not None:
            if self.level and known.severity and known.severity < self.level:
                return False
            if known.fields:
                return True
        text = line.text
        if "\\" in text or "\x1b" in text:  # what it says is written otherwise
            return True
        if any(not one.found(text) for one in self.grep):
            return False
        return (self.names is None or self.names.found(text)) and not any(one.found(text) for one in self.exclude)

    def keeps(self, entry: Entry) -> bool:
        """Whether the entry is wanted: its raw text is searched, and its message where that is written otherwise."""
        if entry.severity < self.level:
            return False
        raw = entry.raw
        more = entry.message if entry.message not in raw else ""
        for one in self.grep:
            if not (one.found(raw) or (more and one.found(more))):
                return False
        for one in self.exclude:
            if one.found(raw) or (more and one.found(more)):
                return False
        if self.names is not None and not self._named(self.names, entry, more):
            return False
        return all(test.holds(entry) for test in self.fields)

    @staticmethod
    def _named(names: Expression, entry: Entry, more: str) -> bool:
        if names.found(entry.raw) or (more and names.found(more)):
            return True
        return any(names.found(text) for text in _texts(entry.fields))


def values_of(entry: Entry, key: str) -> Iterator[Any]:
    """What the entry's field of that (dotted) name holds: in its fields, in their `jsonPayload`, else in itself."""
    found = False
    for value in (*_looked_up(entry.fields, key, 0), *_looked_up(entry.fields.get("jsonPayload"), key, 0)):
        found = True
        if isinstance(value, list):
            yield from value
        else:
            yield value
    if not found and key in _OWN:
        yield entry.severity.name if key == "severity" else getattr(entry, key)


def text_of(value: Any) -> str:
    """A field's value as it is compared and shown: true, null, 3, text; lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | dict | list):
        try:
            return msgspec.json.encode(value).decode()
        except (TypeError, ValueError, RecursionError):
            return repr(value)[:1000]
    return str(value)


def _looked_up(value: Any, key: str, depth: int) -> Iterator[Any]:
    """A key may have dots of its own (`k8s.io/name`), so every way of taking it apart is tried."""
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return
    if key in value:
        yield value[key]
        return
    at = key.find(".")
    while at >= 0:
        if key[:at] in value:
            yield from _looked_up(value[key[:at]], key[at + 1 :], depth + 1)
        at = key.find(".", at + 1)


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, within in value.items():
            yield str(key)
            yield from _texts(within, depth + 1)
    elif isinstance(value, list | tuple):
        for within in value:
            yield from _texts(within, depth + 1)
    else:
        yield text_of(value)


def _same_number(value: float, text: str) -> bool:
    try:
        return float(text) == value
    except (ValueError, OverflowError):
        return False
