"""Label and field selectors, as `kubectl -l` and `--field-selector` write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from toolkit.sandbox.kubernetes.resources import Object, bad_request

Test = Callable[[Object], bool]

_COMMA_OUTSIDE_PARENTHESES: Final = re.compile(r",(?![^()]*\))")
_SET: Final = re.compile(r"(?P<key>[^\s!=]+)\s+(?P<how>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY: Final = re.compile(r"(?P<key>[^\s!=]+)\s*(?P<how>==|=|!=)\s*(?P<value>[^\s=]*)")
_PRESENCE: Final = re.compile(r"(?P<no>!?)\s*(?P<key>[^\s!=,()]+)")


def labels(selector: str) -> Test:
    """Whether an object's labels fit `selector` (`a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`)."""
    tests = [_label(part.strip()) for part in _COMMA_OUTSIDE_PARENTHESES.split(selector) if part.strip()]
    return lambda found: all(test(found) for test in tests)


def fields(selector: str) -> Test:
    """Whether an object's fields fit `selector`: dotted paths with `=`, `==`, `!=`, joined by commas."""
    tests = [_field(part.strip()) for part in selector.split(",") if part.strip()]
    return lambda found: all(test(found) for test in tests)


def _labels_of(found: Object) -> dict[str, str]:
    return found.get("metadata", {}).get("labels") or {}


def _label(part: str) -> Test:
    if match := _SET.fullmatch(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["how"] == "in":
            return lambda found: _labels_of(found).get(key) in values
        return lambda found: _labels_of(found).get(key) not in values
    if match := _EQUALITY.fullmatch(part):
        key, value = match["key"], match["value"]
        if match["how"] == "!=":
            return lambda found: _labels_of(found).get(key) != value
        return lambda found: _labels_of(found).get(key) == value
    if match := _PRESENCE.fullmatch(part):
        key, wanted = match["key"], not match["no"]
        return lambda found: (key in _labels_of(found)) == wanted
    raise bad_request(f"unable to parse requirement: {part!r}")


def _field(part: str) -> Test:
    match = _EQUALITY.fullmatch(part)
    if match is None:
        raise bad_request(f"invalid field selector: {part!r}; can't understand {part!r}")
    path, value, same = match["key"].split("."), match["value"], match["how"] != "!="
    return lambda found: (_at(found, path) == value) == same


def _at(found: Object, path: list[str]) -> str:
    value: object = found
    for key in path:
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    return "" if value is None else str(value)
