"""The part of the Logging query language that the sandbox understands ("Logging query language" in Google's
documentation); everything else is refused as Google refuses it, with INVALID_ARGUMENT.

Understood: comparisons (= != > < >= <= : =~ !~) of resource.type, resource.labels.*, labels.*, severity, timestamp,
receiveTimestamp, logName, insertId, trace, textPayload and jsonPayload.*, with a value or with alternatives in brackets
(`severity=("ERROR" OR "CRITICAL")`); a field's presence (`jsonPayload.x:*`); bare words and texts, looked for
everywhere; AND, OR, NOT, `-`, brackets, comments; comparisons side by side mean AND; OR binds closer than AND.
Left out: functions (log_id, sample, ip_in_net, SEARCH …), arrays, numeric suffixes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from toolkit.sandbox.cloud_logging.entries import SEVERITIES, Entry

Test = Callable[[Entry], bool]
EVER: Final = 1 << 62

LONGEST: Final = 20_000
_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<op><=|>=|!=|=~|!~|=|<|>|:)|(?P<bracket>[()])"""
    r"""|(?P<word>[^\s()"=<>:!~,]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ROOTS: Final = (
    "resource.type", "resource.labels", "labels", "severity", "timestamp", "receiveTimestamp", "logName", "insertId",
    "trace", "textPayload", "jsonPayload", "protoPayload",
)  # fmt: skip


class Unreadable(Exception):
    """A filter that is refused; the text goes with INVALID_ARGUMENT."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Tells whether an entry is meant. Entries before `since` or from `until` on are not (nanoseconds)."""

    test: Test
    since: int
    until: int

    def __call__(self, entry: Entry) -> bool:
        return self.test(entry)


def parse(text: str) -> Filter:
    """Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"The filter is too long: {len(text)} characters, at most {LONGEST} are allowed.")
    parser = _Parser(text)
    test = parser.all()
    since = max([0, *(at for op, at in parser.bounds if op in (">", ">=", "="))])
    until = min([EVER, *(at + 1 for op, at in parser.bounds if op in ("<", "<=", "="))])
    return Filter(test, since, until)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        found = [(one.lastgroup or "", one.group(), one.start()) for one in _TOKEN.finditer(text)]
        self._tokens = [one for one in found if one[0] != "space"] + [("end", "", len(text))]
        self._at = 0
        self.bounds: list[tuple[str, int]] = []  # comparisons of timestamp that every entry has to fit

    def all(self) -> Test:
        if self._kind == "end":
            return lambda _: True
        test = self._and()
        if self._kind != "end":
            raise self._unexpected()
        return test

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _word(self) -> str:
        return self._tokens[self._at][1]

    def _and(self) -> Test:
        tests = [self._or()]
        while self._kind != "end" and self._word != ")":
            if self._word == "AND":
                self._at += 1
            tests.append(self._or())
        return tests[0] if len(tests) == 1 else lambda entry: all(test(entry) for test in tests)

    def _or(self) -> Test:
        bounds = len(self.bounds)
        tests = [self._not()]
        while self._word == "OR":
            self._at += 1
            tests.append(self._not())
        if len(tests) > 1:
            del self.bounds[bounds:]
        return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)

    def _not(self) -> Test:
        negated = self._word == "NOT" or (self._kind == "word" and self._word == "-")
        if negated:
            self._at += 1
        elif self._kind == "word" and self._word.startswith("-") and len(self._word) > 1:
            kind, word, at = self._tokens[self._at]
            self._tokens[self._at] = (kind, word[1:], at + 1)
            negated = True
        bounds = len(self.bounds)
        test = self._comparison()
        if not negated:
            return test
        del self.bounds[bounds:]
        return lambda entry: not test(entry)

    def _comparison(self) -> Test:
        if self._word == "(":
            self._at += 1
            test = self._and()
            self._close()
            return test
        if self._kind not in ("word", "text") or self._word in ("AND", "OR", "NOT"):
            raise self._unexpected()
        kind, word, at = self._take()
        if self._kind != "op":
            return _anywhere(_unquoted(word) if kind == "text" else word)
        if kind == "text" or not any(word == root or word.startswith(root + ".") for root in _ROOTS):
            raise self._at_place(at, f"Field not found: '{word}'.")
        _, op, _ = self._take()
        values = self._values()
        if word == "timestamp" and len(values) == 1 and op in _COMPARISONS:
            self.bounds.append((op, _nanoseconds(values[0], self._at_place(at, ""))))
        return _any([_test(word, op, value, self._at_place(at, "")) for value in values])

    def _values(self) -> list[str]:
        """One value, or the alternatives in brackets."""
        if self._word != "(":
            return [self._value()]
        self._at += 1
        values = [self._value()]
        while self._word == "OR":
            self._at += 1
            values.append(self._value())
        self._close()
        return values

    def _value(self) -> str:
        if self._kind not in ("word", "text"):
            raise self._unexpected()
        kind, word, _ = self._take()
        return _unquoted(word) if kind == "text" else word

    def _close(self) -> None:
        if self._word != ")":
            raise self._unexpected()
        self._at += 1

    def _take(self) -> tuple[str, str, int]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _unexpected(self) -> Unreadable:
        kind, text, at = self._tokens[self._at]
        return self._at_place(at, "syntax error at the end of the filter" if kind == "end" else f"token '{text}'")

    def _at_place(self, at: int, words: str) -> Unreadable:
        before = self._text[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
        return Unreadable(f"Unparseable filter: syntax error at line {line}, column {column}, {words}")


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)


def _anywhere(word: str) -> Test:
    """Bare words are looked for in every field."""
    wanted = word.lower()
    return lambda entry: wanted in _everything(entry).lower()


def _everything(entry: Entry) -> str:
    payload = entry.text if entry.payload is None else json.dumps(entry.payload, ensure_ascii=False)
    return "\n".join([payload or "", entry.log_name, *entry.resource.values(), *entry.labels.values()])


def _test(path: str, op: str, value: str, wrong: Unreadable) -> Test:
    if op in ("=~", "!~"):
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise Unreadable(f"{wrong}Invalid regular expression {value!r}: {error}.") from None
        return lambda entry: (pattern.search(str(_field(entry, path) or "")) is not None) == (op == "=~")
    if path == "severity":
        return _by_order(path, op, _severity(value, wrong))
    if path in ("timestamp", "receiveTimestamp"):
        return _by_order(path, op, _nanoseconds(value, wrong))
    if op == ":":
        return _has(path, value)
    if op in ("=", "!="):
        return lambda entry: (_text(_field(entry, path)).lower() == value.lower()) == (op == "=")
    return _by_size(path, op, value)


def _by_order(path: str, op: str, wanted: int) -> Test:
    compare = _COMPARISONS["=" if op == ":" else op]
    return lambda entry: compare(_field(entry, path), wanted)


def _by_size(path: str, op: str, value: str) -> Test:
    compare = _COMPARISONS[op]
    try:
        wanted = float(value)
    except ValueError:
        return lambda entry: _field(entry, path) is not None and compare(_text(_field(entry, path)), value)

    def test(entry: Entry) -> bool:
        try:
            return bool(compare(float(_field(entry, path)), wanted))
        except (TypeError, ValueError):
            return False

    return test


def _has(path: str, value: str) -> Test:
    if value == "*":
        return lambda entry: _field(entry, path) is not None
    wanted = value.lower()
    return lambda entry: wanted in _text(_field(entry, path)).lower()


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
}


def _field(entry: Entry, path: str) -> Any:
    root, _, rest = path.partition(".")
    if root == "resource":
        return entry.resource_type if rest == "type" else entry.resource.get(rest.removeprefix("labels."))
    if root == "labels":
        return entry.labels.get(rest.strip('"'))
    if root == "jsonPayload":
        found: Any = entry.payload
        for key in rest.split(".") if rest else ():
            found = found.get(key) if isinstance(found, dict) else None
        return found
    return {
        "severity": entry.severity,
        "timestamp": entry.at,
        "receiveTimestamp": entry.received,
        "logName": entry.log_name,
        "insertId": entry.insert_id,
        "trace": entry.trace or None,
        "textPayload": entry.text,
    }.get(root)


def _text(found: Any) -> str:
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _severity(value: str, wrong: Unreadable) -> int:
    if value.upper() in SEVERITIES:
        return SEVERITIES[value.upper()]
    if value.isdigit():
        return int(value)
    raise Unreadable(f"{wrong}Invalid enum value {value!r} for the field 'severity'.")


_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:\d\d)?)?")


def _nanoseconds(value: str, wrong: Unreadable) -> int:
    """RFC 3339, to the nanosecond; a date alone is its beginning in UTC."""
    found = _STAMP.fullmatch(value)
    if found is None:
        raise Unreadable(f"{wrong}Invalid timestamp {value!r}: it has to be in RFC 3339.")
    day, clock, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{(zone or 'Z').replace('Z', '+00:00')}")
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))
