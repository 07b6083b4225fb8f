"""One live block out of its fence: the word, the name, and the YAML between the fences."""

from __future__ import annotations

import re
from typing import Any, Final

from toolkit.walkthrough import templates
from toolkit.walkthrough.page import KINDS, WORDS, Asked, Block, Branch, Place, Problem, Word, scalar
from toolkit.walkthrough.placed_yaml import Placed, read

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?\Z")
_SHELL: Final = re.compile(
    r"""\\.|\{\{.*?\}\}|(?<!\S)\#[^\n]*|'[^']*(?:'|\Z)|"(?:\\.|[^"\\])*(?:"|\Z)|<<.*\Z""", re.DOTALL
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, None: 1}


def block(info: str, content: str, place: Place, problems: list[Problem]) -> Block | None:
    """The live block of a fence whose info string is `info`; None, with a problem, where it makes no sense."""
    first, *more = info.split()
    word: Word = next(one for one in WORDS if one == first)
    if word == "sh":
        _in_quotes(content, place, problems)
        check_template(content, Place(place.line + 1, place.column), problems)
        return Block(word, place, text=content.rstrip("\n"))
    if word in ("check", "action", "wait-for") and len(more) != 1:
        problems.append(Problem(place, f"a `{word}` block names one: ```{word} NAME"))
        return None
    if word in ("ask", "choose") and more:
        problems.append(Problem(place, f"a `{word}` block takes nothing after its word"))
    source = read(content, place.line + 1, place.column)
    if source.problem is not None:
        problems.append(source.problem)
        return None
    if word == "choose":
        return Block(word, place, text=content, branches=_branches(source, problems))
    value = {} if source.value is None else source.value
    if not isinstance(value, dict):
        problems.append(Problem(place, f"the inputs of a `{word}` block are `name: value` lines"))
        return None
    if word == "ask":
        return _ask(value, source, content, place, problems)
    return _with_inputs(word, more[0], value, source, content, place, problems)


def asked_of(item: Any, source: Placed, path: tuple[str | int, ...], problems: list[Problem]) -> Asked | None:
    """What has to be known, out of its YAML mapping; None, with a problem, for one that makes no sense."""
    place = source.place(*path)
    keys = ("name", "prompt", "kind", "default", "options")
    if not isinstance(item, dict) or not _NAME.match(scalar(item.get("name"))):
        problems.append(Problem(place, "needs a `name` of letters, digits and _, and a `prompt`"))
        return None
    name = scalar(item["name"])
    if name in templates.KNOWN:
        problems.append(Problem(place, f"{name!r} is a name that templates have already"))
        return None
    for key in item:
        if key not in keys:
            problems.append(Problem(source.place(*path, str(key)), f"unknown key {key!r}: there are {', '.join(keys)}"))
    kind = scalar(item.get("kind", "text"))
    if kind not in KINDS:
        problems.append(Problem(source.place(*path, "kind"), f"unknown kind {kind!r}: there are {', '.join(KINDS)}"))
    options = item.get("options") or []
    if not isinstance(options, list):
        problems.append(Problem(source.place(*path, "options"), "options has to be a list"))
        options = []
    default = scalar(item["default"]) if "default" in item else None
    return Asked(name, scalar(item.get("prompt")) or f"{name}?", kind, default, tuple(scalar(one) for one in options))


def _in_quotes(content: str, place: Place, problems: list[Problem]) -> None:
    """A value is quoted for the shell when it is filled in; within quotes (or a here-document) that would be undone."""
    for found in _SHELL.finditer(content):
        if "{{" in found[0] and not found[0].startswith(("{{", "#")):
            before = content[: found.start() + found[0].index("{{")]
            column = len(before) - (before.rfind("\n") + 1) + place.column
            message = "a template in a `sh` block stands without quotes: each value is quoted already"
            problems.append(Problem(Place(place.line + 1 + before.count("\n"), column), message))


def _ask(value: dict[Any, Any], source: Placed, content: str, place: Place, problems: list[Problem]) -> Block | None:
    asked = asked_of(value, source, (), problems)
    if asked is None:
        return None
    check_template(asked.prompt, source.place("prompt"), problems)
    return Block("ask", place, text=content, asked=asked)


def _with_inputs(
    word: Word,
    name: str,
    value: dict[Any, Any],
    source: Placed,
    content: str,
    place: Place,
    problems: list[Problem],
) -> Block:
    inputs, places = {}, {}
    times = {"limit": 600.0, "every": 15.0}
    for key, given in value.items():
        at = source.place(str(key))
        if word == "wait-for" and key in times:
            match = _SECONDS.match(scalar(given))
            if match:
                times[str(key)] = float(match[1]) * _UNITS[match[2]]
            else:
                problems.append(Problem(at, f"{key} has to be a time, as in 90s, 10m or 2h"))
        elif isinstance(given, dict | list):
            problems.append(Problem(at, f'{key} has to be one value (a template stands in quotes: "{{{{ pert }}}}")'))
        else:
            inputs[str(key)], places[str(key)] = scalar(given), at
            check_template(scalar(given), at, problems)
    return Block(word, place, name, content, inputs, places, limit=times["limit"], every=times["every"])


def _branches(source: Placed, problems: list[Problem]) -> tuple[Branch, ...]:
    if not isinstance(source.value, list) or not source.value:
        problems.append(Problem(source.place(), "a `choose` block is a list of `when: … go: …`, `say: … go: …`"))
        return ()
    found = []
    for number, item in enumerate(source.value):
        place = source.place(number)
        if isinstance(item, dict) and set(item) == {"otherwise"}:
            found.append(Branch(scalar(item["otherwise"]), source.place(number, "otherwise")))
        elif isinstance(item, dict) and set(item) in ({"when", "go"}, {"say", "go"}):
            branch = Branch(
                scalar(item["go"]), source.place(number, "go"), scalar(item.get("when")), scalar(item.get("say"))
            )
            if not branch.when and not branch.say:
                problems.append(Problem(place, "`when` or `say` is empty"))
            check_template(branch.when, source.place(number, "when"), problems, condition=True)
            found.append(branch)
        else:
            problems.append(
                Problem(place, "a branch is `when: CONDITION, go: STEP`, `say: TEXT, go: STEP` or `otherwise: STEP`")
            )
    return tuple(found)


def check_template(text: str, place: Place, problems: list[Problem], *, condition: bool = False) -> None:
    """Add a problem for a template (or condition) whose form is wrong; `place` is where it begins."""
    if not text:
        return
    found = templates.wrong(text, condition=condition)
    if found is not None:
        line, reason = found
        at = place if line <= 1 else Place(place.line + line - 1)
        problems.append(Problem(at, f"bad {'condition' if condition else 'template'}: {reason}"))
