"""YAML with places: what is where in the file, so that a mistake can be named by line and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from toolkit.walkthrough.page import Place, Problem

Path = tuple[str | int, ...]

_MOST: Final = 10_000  # places


@dataclass(frozen=True)
class Placed:
    """A YAML document's value, and the place of each part of it by its path (`(0, "go")`)."""

    value: Any
    places: Mapping[Path, Place] = field(default_factory=dict)
    problem: Problem | None = None

    def place(self, *path: str | int) -> Place:
        """The place of that part, or of the nearest that holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1))


def read(text: str, first: int, column: int = 1) -> Placed:
    """`text`, whose first line is the file's line `first`. A wrong one has a `problem`, and the value None."""
    whole = Place(max(first - 1, 1), column)
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(first + mark.line, column + mark.column) if mark else whole
        message = f"bad YAML: {error.problem or error.context}"
        if "{{" in text:
            message += ' (a template has to stand in quotes: "{{ pert }}")'
        return Placed(None, {(): whole}, Problem(place, message))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Placed(None, {(): whole}, Problem(whole, f"bad YAML: {error}"))
    places: dict[Path, Place] = {}
    if node is not None:
        _walk(node, (), places, first, column)
    places[()] = whole
    return Placed(value, places)


def _walk(node: yaml.Node, path: Path, places: dict[Path, Place], first: int, column: int) -> None:
    places.setdefault(path, Place(first + node.start_mark.line, column + node.start_mark.column))
    if len(path) > 8 or len(places) > _MOST:  # aliases can lead into themselves, or multiply
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                below = (*path, key.value)
                places[below] = Place(first + key.start_mark.line, column + key.start_mark.column)
                _walk(value, below, places, first, column)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), places, first, column)
