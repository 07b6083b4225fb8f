"""The auto-loader's settings, read from YAML: strictly what they mean, forgivingly how their keys are spelled.

Keys count without regard to case, and - like _. The settings stand under a key of the document
(`group-auto-loader.prod`: a dot leads inside, or is part of the name), or under that key in the data of a ConfigMap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from toolkit.errors import Failed, NotFound

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

API: Final = ("phenoservice_api", "phenoservice_url", "phenoservice_api_url", "phenoservice")
DRY_RUN: Final = ("dry_run", "dryrun")
MODEL: Final = ("deep_learning_model", "dl_model", "model")
TRANSFORMATIONS: Final = ("transformations",)
_MOST: Final = 200  # transformations; more is no such list
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Transformation:
    """A step after embedding that makes one group. `suffix` is what the group's name ends with (_prox_bias_reduced)."""

    name: str
    suffix: str


@dataclass(frozen=True, slots=True)
class LoaderSettings:
    """What one source says; None: it does not say. `transformations` in their order: the last is first in the app.

    `lines` are where each stands in its file.
    """

    api: str | None
    dry_run: bool | None
    model: str | None
    transformations: tuple[Transformation, ...]
    lines: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.transformations)

    def of(self, group: str) -> Transformation | None:
        """The transformation that a group of that name was made by: the longest suffix that fits."""
        fitting = [one for one in self.transformations if group.endswith(one.suffix) and group != one.suffix]
        return max(fitting, key=lambda one: len(one.suffix), default=None)


def read(text: str, key: str, file: str) -> LoaderSettings:
    """The settings under `key` in `text`; `file` is what errors call it by, with line and key.

    Raises Failed (no YAML, or a value of the wrong kind), NotFound (no such key).
    """
    found = _settings(text, key, file)
    if found is None:
        raise NotFound(
            f"{file} has no {key}.",
            hint="Is it the right file? configome.key names the key, whose dots lead inside.",
        )
    node, shift = found
    return _Reader(key, file, shift).settings(node)


def _settings(text: str, key: str, file: str) -> tuple[Node, int] | None:
    """The node under `key`, and the line at which its text begins in the file."""
    for document in _composed(text, file, 0):
        for node, shift in _places(document, file):
            at = _below(node, _words(key))
            if at is None:
                continue
            if at.tag.endswith(":str") and "\n" in str(at.value):  # YAML as text, as a ConfigMap's data has it
                shift += at.start_mark.line + 1
                inner = next(_composed(str(at.value), file, shift), None)
                return (inner, shift) if inner is not None else None
            return at, shift
    return None


def _places(document: Node, file: str) -> Iterator[tuple[Node, int]]:
    """The document itself; of a ConfigMap its data, and each YAML text in that; of a List its items."""
    yield document, 0
    items = _value(document, ("items",))
    for item in items.value if items is not None and isinstance(items.value, list) else ():
        yield from _config_map(item, file)
    yield from _config_map(document, file)


def _config_map(node: Node, file: str) -> Iterator[tuple[Node, int]]:
    from yaml.nodes import MappingNode, ScalarNode

    if not isinstance(node, MappingNode):
        return
    kind, data = _value(node, ("kind",)), _value(node, ("data",))
    if kind is None or kind.value != "ConfigMap" or not isinstance(data, MappingNode):
        return
    yield data, 0
    for name, value in data.value:
        if isinstance(value, ScalarNode) and str(name.value).lower().endswith((".yaml", ".yml")):
            shift = value.start_mark.line + 1
            for inner in _composed(value.value, file, shift):
                yield inner, shift


def _composed(text: str, file: str, shift: int) -> Iterator[Node]:
    """The documents of the text as nodes, which know their lines. Aliases are not multiplied out."""
    import yaml

    try:
        yield from (node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1 + shift}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Failed(
            f"{file}{where} is not valid YAML: {problem}.",
            hint="A template (Helm, Jinja) is not understood here; the plain YAML is needed.",
        ) from None
    except RecursionError:
        raise Failed(f"{file} is not valid YAML: it is nested without an end.") from None


def _words(key: str) -> str:
    return key.lower().replace("-", "_")


def _below(node: Node | None, key: str, deep: int = 0) -> Node | None:
    """What stands under the key: the whole of it as one name, or its beginning, and the rest inside."""
    from yaml.nodes import MappingNode

    if not isinstance(node, MappingNode) or deep > _DEEPEST:
        return None
    for name, value in node.value:
        if _words(str(name.value)) == key:
            found: Node = value
            return found
    for name, value in node.value:
        beginning = _words(str(name.value)) + "."
        if key.startswith(beginning):
            inner = _below(value, key[len(beginning) :], deep + 1)
            if inner is not None:
                return inner
    return None


def _value(node: Node, names: tuple[str, ...]) -> Node | None:
    from yaml.nodes import MappingNode

    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name.value, str) and _words(name.value) in names:
                found: Node = value
                return found
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one mapping. `shift` is how many lines of the file stand before it."""

    key: str
    file: str
    shift: int

    def settings(self, node: Node) -> LoaderSettings:
        from yaml.nodes import MappingNode

        if not isinstance(node, MappingNode):
            raise self._wrong(node, self.key, "is no table of settings")
        lines: dict[str, int] = {}
        parts: dict[str, Node] = {}
        for what, names in (
            ("api", API),
            ("dry_run", DRY_RUN),
            ("model", MODEL),
            ("transformations", TRANSFORMATIONS),
        ):
            found = self._once(node, names)
            if found is not None:
                parts[what], lines[what] = found, self._line(found)
        if "transformations" not in parts:
            raise NotFound(f"{self.file}, line {self._line(node)}: {self.key} has no transformations.")
        return LoaderSettings(
            self._text(parts.get("api"), "the phenoservice API", ("url", "address")),
            self._flag(parts.get("dry_run")),
            self._text(parts.get("model"), "the deep-learning model", ("name",)),
            self._transformations(parts["transformations"]),
            lines,
        )

    def _once(self, node: MappingNode, names: tuple[str, ...]) -> Node | None:
        """The value under the first of the names that is there; two spellings of one name are refused."""
        for name in names:
            found = [(key, value) for key, value in node.value if _words(str(key.value)) == name]
            if len(found) > 1:
                raise self._wrong(found[1][0], str(found[1][0].value), "is there twice")
            if found:
                value: Node = found[0][1]
                return value
        return None

    def _text(self, node: Node | None, what: str, inside: tuple[str, ...]) -> str | None:
        """A scalar as it is written (a version 1.10 stays 1.10); of a table its name, with its version."""
        from yaml.nodes import MappingNode, ScalarNode

        if node is None or node.tag.endswith(":null"):
            return None
        if isinstance(node, MappingNode):
            version = _value(node, ("version",))
            name = self._text(_value(node, inside), what, ())
            if name is None:
                raise self._wrong(node, what, f"has no {inside[0] if inside else 'name'}")
            return f"{name} {version.value}" if isinstance(version, ScalarNode) else name
        if not isinstance(node, ScalarNode) or not str(node.value).strip():
            raise self._wrong(node, what, "is no text")
        return str(node.value).strip()

    def _flag(self, node: Node | None) -> bool | None:
        if node is None or node.tag.endswith(":null"):
            return None
        if not node.tag.endswith(":bool"):
            raise self._wrong(
                node, "dry_run", "is neither True nor False: text in quotes counts as True, whatever it says"
            )
        return str(node.value).lower() in ("true", "yes", "on")

    def _transformations(self, node: Node) -> tuple[Transformation, ...]:
        from yaml.nodes import SequenceNode

        if not isinstance(node, SequenceNode):
            raise self._wrong(node, "transformations", "is no list")
        if not 0 < len(node.value) <= _MOST:
            raise self._wrong(node, "transformations", "is empty" if not node.value else f"has more than {_MOST} items")
        found: dict[str, Transformation] = {}
        for item in node.value:
            one = self._transformation(item)
            if one.suffix in found:
                raise self._wrong(item, "transformations", f"lists {one.name} twice")
            found[one.suffix] = one
        return tuple(found.values())

    def _transformation(self, node: Node) -> Transformation:
        from yaml.nodes import MappingNode, ScalarNode

        if isinstance(node, MappingNode):
            name = self._text(_value(node, ("name", "transformation")), "the transformation", ())
            suffix = self._text(_value(node, ("suffix",)), "its suffix", ())
            if name is None and suffix is None:
                raise self._wrong(node, "transformations", "has an item without a name")
            return Transformation((name or suffix or "").lstrip("_"), _suffix(suffix or name or ""))
        if not isinstance(node, ScalarNode) or not node.tag.endswith(":str"):
            raise self._wrong(node, "transformations", "has an item that is no name")
        name = str(node.value).strip()
        if not name.strip("_"):
            raise self._wrong(node, "transformations", "has an item without a name")
        return Transformation(name.lstrip("_"), _suffix(name))

    def _line(self, node: Node) -> int:
        return int(node.start_mark.line) + 1 + self.shift

    def _wrong(self, node: Node, key: str, what: str) -> Failed:
        return Failed(
            f"{self.file}, line {self._line(node)}: {key} {what}.",
            hint="Tell the owners of the group auto-loader, or correct it there.",
        )


def _suffix(name: str) -> str:
    return name if name.startswith("_") else f"_{name}"
