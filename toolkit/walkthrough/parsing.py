"""From Markdown to a Runbook: front matter, second-level headings, live blocks. Mistakes of form are collected, with
their places, never raised; what a runbook means as a whole is judged in lint.py."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from toolkit.walkthrough.blocks import asked_of, block, check_template
from toolkit.walkthrough.page import (
    WORDS,
    Asked,
    Block,
    Link,
    Place,
    Problem,
    Prose,
    Runbook,
    Step,
    anchor,
    scalar,
)
from toolkit.walkthrough.placed_yaml import Placed, read

if TYPE_CHECKING:
    from markdown_it.token import Token

_KEYS = ("title", "symptom", "inputs", "owner", "last_proven")


def parse(text: str, name: str) -> Runbook:
    """The runbook called `name` whose Markdown is `text`."""
    from markdown_it import MarkdownIt

    lines = text.splitlines()
    problems: list[Problem] = []
    front, start = _front_matter(lines, problems)
    tokens = MarkdownIt("commonmark").parse("\n".join([""] * start + lines[start:]))
    steps, introduction, anchors = _steps(tokens, lines, start, problems)
    if not steps:
        problems.append(Problem(Place(start + 1), "no step: each second-level heading (`## …`) is one"))
    fields = front.value if isinstance(front.value, dict) else {}
    return Runbook(
        name=name,
        title=scalar(fields.get("title")) or name,
        symptom=scalar(fields.get("symptom")),
        text=text,
        steps=tuple(steps),
        introduction=introduction,
        inputs=_inputs(front, problems),
        owner=scalar(fields.get("owner")),
        last_proven=scalar(fields.get("last_proven")),
        anchors=frozenset(anchors),
        links=tuple(_links(tokens, lines)),
        problems=tuple(sorted(problems)),
    )


def _front_matter(lines: list[str], problems: list[Problem]) -> tuple[Placed, int]:
    """The front matter and the number of lines it takes."""
    if not lines or lines[0].strip() != "---":
        problems.append(Problem(Place(1), "no front matter: the first line has to be `---`, then title, symptom, …"))
        return Placed(None), 0
    ends = [number for number, line in enumerate(lines[1:], 1) if line.strip() == "---"]
    if not ends:
        problems.append(Problem(Place(1), "the front matter has no end: a second line `---`"))
        return Placed(None), 1
    front = read("\n".join(lines[1 : ends[0]]), 2)
    if front.problem is not None:
        problems.append(front.problem)
    elif not isinstance(front.value, dict):
        problems.append(Problem(Place(2), "the front matter has to be `key: value` lines: title, symptom, …"))
    else:
        for key in front.value:
            if key not in _KEYS:
                near = difflib.get_close_matches(str(key), _KEYS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(_KEYS)}"
                problems.append(Problem(front.place(str(key)), f"unknown key {str(key)!r}: {hint}"))
        for key in ("title", "symptom"):
            if not scalar(front.value.get(key)):
                problems.append(Problem(Place(1), f"the front matter has no {key}"))
    return front, ends[0] + 1


def _inputs(front: Placed, problems: list[Problem]) -> tuple[Asked, ...]:
    given = front.value.get("inputs") if isinstance(front.value, dict) else None
    if given is None:
        return ()
    if not isinstance(given, list):
        problems.append(
            Problem(front.place("inputs"), "inputs has to be a list, each with name, prompt, kind, default")
        )
        return ()
    found: list[Asked] = []
    for number, item in enumerate(given):
        place = front.place("inputs", number)
        asked = asked_of(item, front, ("inputs", number), problems)
        if asked is not None and asked.name in [one.name for one in found]:
            problems.append(Problem(place, f"the input {asked.name!r} is there twice"))
        elif asked is not None:
            found.append(asked)
    return tuple(found)


def _steps(
    tokens: list[Token], lines: list[str], start: int, problems: list[Problem]
) -> tuple[list[Step], str, list[str]]:
    """The steps, the prose before the first of them, and all headings' anchors."""
    anchors: list[str] = []
    headings: list[tuple[int, int, str, str]] = []  # first line, line after, anchor, title
    fences: list[Token] = []
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.map:
            title = tokens[number + 1].content
            made = anchor(title)
            if made in anchors:
                made = f"{made}-{sum(one == made or one.startswith(made + '-') for one in anchors)}"
            anchors.append(made)
            if token.tag == "h2" and token.level == 0:
                headings.append((token.map[0], token.map[1], made, title))
        elif token.type == "fence" and token.map:
            _spelling(token, problems)
            if token.info.split()[:1] and token.info.split()[0] in WORDS:
                fences.append(token)
    first = headings[0][0] if headings else len(lines)
    for fence in fences:
        if fence.map and fence.map[0] < first:
            problems.append(Problem(Place(fence.map[0] + 1), "a live block before the first step (`## …`)"))
    steps = []
    for number, (_, below, name, title) in enumerate(headings):
        end = headings[number + 1][0] if number + 1 < len(headings) else len(lines)
        within = [fence for fence in fences if fence.map and below <= fence.map[0] < end]
        parts = _parts(within, lines, below, end, problems)
        steps.append(Step(name, title, Place(headings[number][0] + 1), parts))
    introduction = "\n".join(line for line in lines[start:first] if not line.startswith("# ")).strip()
    return steps, introduction, anchors


def _parts(
    fences: list[Token], lines: list[str], below: int, end: int, problems: list[Problem]
) -> tuple[Prose | Block, ...]:
    parts: list[Prose | Block] = []
    here = below
    for fence in fences:
        assert fence.map is not None  # noqa: S101 - only fences with a place are handed in
        _prose(parts, lines, here, fence.map[0], problems)
        column = len(lines[fence.map[0]]) - len(lines[fence.map[0]].lstrip()) + 1
        made = block(fence.info, fence.content, Place(fence.map[0] + 1, column), problems)
        if made is not None:
            parts.append(made)
        here = fence.map[1]
    _prose(parts, lines, here, end, problems)
    return tuple(parts)


def _prose(parts: list[Prose | Block], lines: list[str], start: int, end: int, problems: list[Problem]) -> None:
    while start < end and not lines[start].strip():
        start += 1
    text = "\n".join(lines[start:end]).rstrip()
    if text:
        parts.append(Prose(text, Place(start + 1)))
        check_template(text, Place(start + 1), problems)


def _spelling(fence: Token, problems: list[Problem]) -> None:
    """A block whose word is nearly one that makes it live was surely meant to be."""
    first = fence.info.split()[:1]
    if not first or first[0] in WORDS or not fence.map:
        return
    near = difflib.get_close_matches(first[0], WORDS, n=1, cutoff=0.75)
    if near:
        problems.append(Problem(Place(fence.map[0] + 1, 4), f"unknown block {first[0]!r}: did you mean {near[0]!r}?"))


def _links(tokens: list[Token], lines: list[str]) -> list[Link]:
    found = []
    for token in tokens:
        if token.type != "inline" or not token.map:
            continue
        for child in token.children or []:
            if child.type == "link_open":
                target = str(child.attrGet("href") or "")
                for number in range(token.map[0], token.map[1]):
                    if target in lines[number]:
                        found.append(Link(target, Place(number + 1, lines[number].index(target) + 1)))
                        break
                else:
                    found.append(Link(target, Place(token.map[0] + 1)))
    return found
