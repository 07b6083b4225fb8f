"""The part of LogQL that the sandbox's Loki understands; everything else is refused as Loki refuses what it cannot
read.

Understood: a selector of label matchers (= != =~ !~), line filters (|= != |~ !~, with or between alternatives), `|
json` and `| logfmt`, which make labels of a line's fields, and filters on labels by text (= != =~ !~). Left out: metric
queries, line_format, label_format, pattern, regexp, unpack, decolorize, drop, keep, comparisons by number, `and`.
Regular expressions are Python's, which are near enough to RE2 for what people write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<name>[A-Za-z_][A-Za-z0-9_:]*)"""
    r"""|(?P<op>=~|!~|!=|\|=|\|~|\||=|,|\{|\})|(?P<other>.)""",
    re.VERBOSE,
)
_NAMES = {"name": "IDENTIFIER", "text": "STRING", "end": "$end"}


class Unreadable(Exception):
    """A query that is refused; the text is what Loki answers with status 400."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """`name` `op` `value`; a regular expression has to fit the whole value."""

    name: str
    op: str
    value: str

    def fits(self, labels: Labels) -> bool:
        found = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (found == self.value) == (self.op == "=")
        return (re.fullmatch(self.value, found) is not None) == (self.op == "=~")


Stage = Callable[[str, dict[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """`selects` streams by their labels; `passes` is asked of each line, and adds the labels that a parser finds."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...]

    def selects(self, labels: Labels) -> bool:
        return all(matcher.fits(labels) for matcher in self.matchers)

    def passes(self, line: str, labels: dict[str, str]) -> bool:
        return all(stage(line, labels) for stage in self.stages)


def parse(text: str) -> Query:
    """Raises Unreadable."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        found = [(one.lastgroup or "", one.group(), one.start()) for one in _TOKEN.finditer(text)]
        self._tokens = [one for one in found if one[0] != "space"] + [("end", "", len(text))]
        self._at = 0

    def query(self) -> Query:
        if self._tokens[0][0] == "end":
            raise Unreadable("parse error : syntax error: unexpected $end")
        matchers = self._selector()
        stages: list[Stage] = []
        while self._tokens[self._at][0] != "end":
            stages.append(self._stage())
        if not any(_wants_something(matcher) for matcher in matchers):
            raise Unreadable(
                "parse error : queries require at least one regexp or equality matcher that does not have an "
                'empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
            )
        return Query(tuple(matchers), tuple(stages))

    def _selector(self) -> list[Matcher]:
        self._take("{")
        matchers: list[Matcher] = []
        while not self._next_is("}"):
            if matchers:
                self._take(",")
            name = self._kind("name", "IDENTIFIER or }" if not matchers else "IDENTIFIER")
            matchers.append(self._matcher(name))
        self._take("}")
        return matchers

    def _matcher(self, name: str) -> Matcher:
        op = self._one_of("=", "!=", "=~", "!~")
        value = self._string()
        if op.endswith("~"):
            self._compiled(value)
        return Matcher(name, op, value)

    def _stage(self) -> Stage:
        op = self._one_of("|=", "!=", "|~", "!~", "|")
        if op != "|":
            return self._line_filter(op)
        name = self._kind("name", "IDENTIFIER")
        if name in ("json", "logfmt") and self._tokens[self._at][1] in ("|", "|=", "|~", "!=", "!~", ""):
            return _json if name == "json" else _logfmt
        if self._tokens[self._at][1] not in ("=", "!=", "=~", "!~"):
            self._at -= 1
            raise self._unexpected("")
        matcher = self._matcher(name)
        return lambda _, labels: matcher.fits(labels)

    def _line_filter(self, op: str) -> Stage:
        values = [self._string()]
        while self._next_is("or"):
            self._at += 1
            values.append(self._string())
        wanted = op.startswith("|")
        if op in ("|=", "!="):
            return lambda line, _: any(value in line for value in values) == wanted
        patterns = [self._compiled(value) for value in values]
        return lambda line, _: any(pattern.search(line) for pattern in patterns) == wanted

    # -- tokens

    def _next_is(self, text: str) -> bool:
        return self._tokens[self._at][1] == text

    def _take(self, text: str) -> None:
        if not self._next_is(text):
            raise self._unexpected(text)
        self._at += 1

    def _one_of(self, *texts: str) -> str:
        found = self._tokens[self._at][1]
        if found not in texts:
            raise self._unexpected("")
        self._at += 1
        return found

    def _kind(self, kind: str, expected: str) -> str:
        if self._tokens[self._at][0] != kind:
            raise self._unexpected(expected)
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _string(self) -> str:
        raw = self._kind("text", "STRING")
        if raw[0] == "`":
            return raw[1:-1]
        try:
            return str(json.loads(raw))
        except ValueError:
            raise self._at_place(self._tokens[self._at - 1][2], "invalid char escape") from None

    def _compiled(self, value: str) -> re.Pattern[str]:
        try:
            return re.compile(value)
        except re.error as error:
            raise self._at_place(self._tokens[self._at - 1][2], f"error parsing regexp: {error}: `{value}`") from None

    def _unexpected(self, expected: str) -> Unreadable:
        kind, text, at = self._tokens[self._at]
        words = f"syntax error: unexpected {_NAMES.get(kind, text)}" + (f", expecting {expected}" if expected else "")
        return self._at_place(at, words)

    def _at_place(self, at: int, words: str) -> Unreadable:
        before = self._text[:at]
        line = before.count("\n") + 1
        return Unreadable(f"parse error at line {line}, col {at - (before.rfind(chr(10)) + 1) + 1}: {words}")


def _wants_something(matcher: Matcher) -> bool:
    return matcher.op in ("=", "=~") and not Matcher(matcher.name, matcher.op, matcher.value).fits({})


def _json(line: str, labels: dict[str, str]) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        labels["__error__"] = "JSONParserErr"
        return True
    for key, value in _flat(found):
        labels[key + "_extracted" if key in labels else key] = value
    return True


def _flat(found: Mapping[str, object], before: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in found.items():
        name = re.sub(r"\W", "_", before + key)
        if isinstance(value, dict):
            flat += _flat(value, name + "_")
        elif isinstance(value, str | int | float):
            flat.append((name, json.dumps(value).strip('"') if not isinstance(value, str) else value))
    return flat


_FIELD = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)')


def _logfmt(line: str, labels: dict[str, str]) -> bool:
    for key, value in _FIELD.findall(line):
        name = re.sub(r"\W", "_", key)
        labels[name + "_extracted" if name in labels else name] = value.strip('"')
    return True
