"""Templates mined from messages: Drain, a tree of fixed depth (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing
Approach with Fixed Depth Tree", ICWS 2017), in bounded memory.

Written here since what there is in packages is unmaintained and pins old versions of others. The paper's steps: by
the number of words, then by the first words, then the most similar template of those few; where a word differs, the
template gets a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

GAP: Final = "<*>"
REST: Final = "<other lines>"

_Node = dict[str, "_Node | list[Template]"]


class Template:
    """The words that the messages of one kind share; those that differ are GAPs. It changes as messages come."""

    __slots__ = ("words",)

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def __str__(self) -> str:
        return " ".join(self.words)


class Drain:
    """`similar` is the share of words that have to be equal; `branching` first words are told apart on `depth` levels,
    more share a branch. After `most` templates, messages that fit none share the template REST."""

    def __init__(self, *, depth: int = 1, similar: float = 0.5, branching: int = 64, most: int = 2_000) -> None:
        self._depth, self._similar, self._branching, self._most = depth, similar, branching, most
        self._by_length: dict[tuple[int, str], _Node] = {}
        self._count = 0
        self.rest = Template([REST])

    def template(self, words: Sequence[str], kind: str = "") -> Template:
        """The template of a message's words: an old one, perhaps changed by it, or a new one. Messages of different
        `kind` never share one."""
        leaf = self._leaf(words, kind)
        best, found = -1.0, None
        for template in leaf:
            same = sum(map(str.__eq__, template.words, words))
            if same == len(words):
                return template
            likeness = same + template.words.count(GAP) / (len(words) + 1)  # of two alike the one with more gaps
            if likeness > best:
                best, found = likeness, template
        if found is not None and int(best) >= self._similar * len(words):
            found.words = [one if one == other else GAP for one, other in zip(found.words, words, strict=True)]
            return found
        if self._count >= self._most:
            return self.rest
        self._count += 1
        template = Template(list(words))
        leaf.append(template)
        return template

    def _leaf(self, words: Sequence[str], kind: str) -> list[Template]:
        """The templates of that length whose first words are these."""
        by_length = self._by_length
        node: _Node = by_length.setdefault((len(words), kind if len(by_length) < self._most else ""), {})
        last = min(self._depth, len(words)) - 1
        for level in range(last + 1):
            word = words[level]
            if "<" in word or (word not in node and len(node) >= self._branching):
                word = GAP
            if level == last:
                return node.setdefault(word, [])  # type: ignore[return-value]
            node = node.setdefault(word, {})  # type: ignore[assignment]
        return node.setdefault(GAP, [])  # type: ignore[return-value]
