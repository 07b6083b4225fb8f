"""Which key an action is on: the registry's, unless the configuration says another.

What cannot be had (an action or a key that does not exist, a key that already does something else there) is left as
it was and said, so that a mistake in the configuration never takes a key away.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from textual.keys import KEY_ALIASES, Keys, _character_to_key

from toolkit.tui.acts.act import Act
from toolkit.tui.registry import ACTS, DIALOGUES, shown

_MODIFIERS = ("ctrl", "shift", "alt", "super", "meta", "hyper")
_CHARACTERS = frozenset(_character_to_key(chr(code)) for code in range(32, 0x250))
_NAMES = frozenset(key.value for key in Keys) | frozenset(KEY_ALIASES) | _CHARACTERS


@dataclass(frozen=True)
class Keymap:
    """`changed` has the keys of the actions that are not on the registry's own, as Textual names keys."""

    changed: Mapping[str, str] = field(default_factory=dict)

    def key(self, act: Act) -> str:
        """The keys of `act`, separated by commas."""
        return self.changed.get(act.id, act.key)

    def written(self, act: Act) -> str:
        """The same as people write it."""
        return shown(self.key(act))


def read(wanted: Mapping[str, str]) -> tuple[Keymap, list[str]]:
    """The keymap with what of `wanted` (action id to keys) can be had, and a sentence for each that cannot."""
    known = {act.id: act for act in ACTS}
    good: dict[str, str] = {}
    said: list[str] = []
    for name, keys in wanted.items():
        names = [_named(key.strip()) for key in _split(keys)]
        if name not in known:
            said.append(f"There is no action {name!r}{_nearest(name, list(known))}")
        elif not names:
            said.append(f"{name}: no key is given; it stays on {shown(known[name].key)}.")
        elif bad := next((key for key in names if not _exists(key)), None):
            near = _nearest(bad.rpartition("+")[2], sorted(_NAMES))
            said.append(f"{name}: there is no key {bad!r}{near} It stays on {shown(known[name].key)}.")
        else:
            good[name] = ",".join(names)
    while clash := _clash(Keymap(good), list(good)):
        name, key, other = clash
        del good[name]
        said.append(f"{name}: {shown(key)} is {other.id} already; it stays on {shown(known[name].key)}.")
    return Keymap(good), said


def _clash(keymap: Keymap, changed: Sequence[str]) -> tuple[str, str, Act] | None:
    """A changed action, the key, and the action that has it where both can be meant."""
    for act in ACTS:
        if act.id not in changed:
            continue
        for key in keymap.key(act).split(","):
            for other in ACTS:
                if other is not act and _meet(act.scope, other.scope) and key in keymap.key(other).split(","):
                    return act.id, key, other
    return None


def _meet(one: str, other: str) -> bool:
    """Whether keys of both scopes are listened to at the same time. Dialogues hear their own keys alone."""
    if one == other:
        return True
    return not {one, other} & DIALOGUES and bool({one, other} & {"app", "list"})


def _split(keys: str) -> list[str]:
    return ["comma"] if keys == "," else [key for key in keys.split(",") if key.strip()]


def _named(key: str) -> str:
    """A key as Textual names it: question_mark for `?`."""
    modifiers, plus, last = key.rpartition("+") if len(key) > 1 else ("", "", key)
    if not last:  # ctrl++ is the plus sign with a modifier
        modifiers, last = modifiers.removesuffix("+"), "+"
    name = _character_to_key(last) if len(last) == 1 else last.lower()
    return f"{modifiers.lower()}{plus}{name}"


def _exists(key: str) -> bool:
    *modifiers, name = key.split("+")
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return False
    return len(name) == 1 or key in _NAMES or name in _NAMES


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "."
