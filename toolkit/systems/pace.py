"""How soon something is asked again that broke off or failed: at once the first times, more and more slowly then, and
never at the same moment as others that broke off with it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

_SHORTEST: Final = 0.1
_LONGEST: Final = 10.0
_AT_ONCE: Final = 10  # so many times one after the other …
_EVERY: Final = 0.5  # … then one in so many seconds


class Pace:
    """`pause(failures)` gives the seconds to wait before the next try, after so many failures in a row (0: the last
    one brought something). Tries that succeed are rate-limited too: a server that cuts every stream is not hammered.
    """

    def __init__(
        self, longest: float = _LONGEST, *, clock: Callable[[], float] = time.monotonic, seed: int | None = None
    ) -> None:
        self._longest = longest
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._left = float(_AT_ONCE)
        self._looked = clock()

    def pause(self, failures: int = 0) -> float:
        now = self._clock()
        self._left = min(_AT_ONCE, self._left + (now - self._looked) / _EVERY)
        self._looked = now
        wait = min(_SHORTEST * 2.0 ** min(failures, 20), self._longest)
        if self._left < 1:
            wait = max(wait, (1 - self._left) * _EVERY)
        self._left -= 1
        return wait * self._chance.uniform(0.75, 1.25)
