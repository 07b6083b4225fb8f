"""Which case a drill has: picked by its level and seed, and sealed so that nobody reads it by chance.

The seal is a salted digest. Whoever wants to can try all cases against it; it keeps an honest engineer from seeing the
name in the drill's file.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from toolkit.checks.diagnosis.causes import CAUSES
from toolkit.drills import store
from toolkit.drills.drill import Verdict
from toolkit.errors import Failed, UsageError

LEVELS: Mapping[int, str] = {
    1: "one cause; `toolkit why` may be asked",
    2: "one cause; `toolkit why` costs as a hint does",
    3: "two causes; `toolkit why` costs as a hint does",
}
_SURE = 0.85  # so alike, a name is taken for the one that is meant
MOST_CAUSES = 2
# Of two of these, the one keeps everybody from seeing the other: without a token nobody sees what Redis holds.
_HIDE_ONE_ANOTHER = frozenset({"vault-sealed", "token-rotated", "redis-flushed"})

# MapApp is behind Catalyst, which asks no Okta group.
_ONLY_IN: Mapping[str, str] = {"access-not-in-okta-group": "sandbox"}

NAMES: tuple[str, ...] = tuple(cause.name for cause in CAUSES)


def pick(level: int, seed: int, against: Mapping[str, Collection[str]], environment: str) -> tuple[str, ...]:
    """The case of that level and seed, in that environment of the sandbox.

    `against` has every scenario there is, with those that it cannot go with.
    """
    chance = random.Random(f"{level}:{seed}")  # noqa: S311 - a choice, no secret
    known = sorted(name for name in set(against) & set(NAMES) if _ONLY_IN.get(name, environment) == environment)
    if causes_at(level) == 1:
        return (chance.choice(known),)
    pairs = [
        pair
        for pair in itertools.combinations(known, 2)
        if pair[1] not in against[pair[0]] and pair[0] not in against[pair[1]] and not set(pair) <= _HIDE_ONE_ANOTHER
    ]
    return chance.choice(pairs)


def check(names: Sequence[str], level: int) -> None:
    """Raises UsageError for scenarios that make no drill: one that is no cause, two of which nobody could tell one,
    or as many as the level does not have."""
    if len(names) != causes_at(level):
        raise UsageError(
            f"Level {level} has {causes_at(level)} of them, and {len(names)} were named.",
            hint="--scenario NAME once for levels 1 and 2, twice for level 3.",
        )
    if len(names) > 1 and set(names) <= _HIDE_ONE_ANOTHER:
        raise UsageError(
            f"{' and '.join(names)} make no drill: the one keeps everybody from seeing the other.",
            hint="Choose another pair.",
        )
    for name in names:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1)
            raise UsageError(
                f"No drill can be made of {name!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(NAMES)}.",
            )


def causes_at(level: int) -> int:
    """How many causes a case of that level has."""
    return MOST_CAUSES if level == max(LEVELS) else 1


def seal(names: Sequence[str], salt: str) -> str:
    return hashlib.sha256(f"{salt}:{','.join(sorted(names))}".encode()).hexdigest()


def unseal(sealed: str, salt: str) -> tuple[str, ...]:
    """The names that were sealed. Raises Failed where they are none that this version knows."""
    for names in _cases():
        if seal(names, salt) == sealed:
            return names
    raise Failed(
        "The case of this drill is not known to this version of the toolkit.",
        hint=f"Remove its file, {store.file()}: the drill is lost then, and nothing else. Then: toolkit drill",
    )


def _cases() -> Iterator[tuple[str, ...]]:
    for count in range(1, MOST_CAUSES + 1):
        yield from itertools.combinations(NAMES, count)


def meant(texts: Sequence[str]) -> tuple[str, ...]:
    """The causes that somebody names; "Redis flushed" and "redis-flush" are redis-flushed.

    Raises UsageError for what is none, with the nearest.
    """
    found = dict.fromkeys(name for text in texts for name in _meant(text))
    if not found:
        raise UsageError("Which cause is it?", hint=f"One or more of: {', '.join(NAMES)}.")
    return tuple(found)


def _meant(text: str) -> list[str]:
    names = [part for part in text.split(",") if part.strip()]
    return [_one(name) for name in names]


def _one(text: str) -> str:
    plain = re.sub(r"[\s_-]+", "-", text.strip()).lower()
    if plain in NAMES:
        return plain
    near = difflib.get_close_matches(plain, NAMES, n=1, cutoff=0.4)
    if near and difflib.SequenceMatcher(None, plain, near[0]).ratio() >= _SURE:
        return near[0]
    raise UsageError(
        f"No cause is called {text.strip()!r}; this does not count as an answer.",
        hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(NAMES)}.",
    )


def judged(named: Sequence[str], true: Sequence[str]) -> Verdict:
    """Whether the causes that were named are those that are true."""
    if set(named) == set(true):
        return Verdict.RIGHT
    return Verdict.PARTLY if set(named) & set(true) else Verdict.WRONG
