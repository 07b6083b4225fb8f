"""A secret in memory: it cannot be printed by accident, and every text that leaves the program is scrubbed of it."""

from __future__ import annotations

from typing import Final

MASK: Final = "••••••"
_SHORTEST = 6  # shorter values occur in ordinary words; scrubbing them would tear texts apart

_known: set[str] = set()


class Secret:
    """Holds a secret value. Only `reveal()` gives it away; repr, str and format show a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _SHORTEST:
            _known.add(value)

    def reveal(self) -> str:
        return self._value

    def fingerprint(self) -> str:
        """First 8 hex digits of SHA-256: enough to see whether two people hold the same token."""
        import hashlib

        return "sha256:" + hashlib.sha256(self._value.encode()).hexdigest()[:8]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is never pickled")


def scrub(text: str) -> str:
    """`text` without any secret that this process has held."""
    for value in tuple(_known):
        if value in text:
            text = text.replace(value, MASK)
    return text
