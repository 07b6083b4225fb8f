"""Where the streams of logs are cut: at random, from a seed, so that a run can be repeated."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from toolkit.sandbox.kubernetes.api import Faults

# reset: RST. half-close: FIN in the middle of the answer. end: the answer is ended as if it were whole, in the middle
# of the log. silence: the connection stays open, and nothing comes any more.
WAYS: Final = ("reset", "half-close", "end", "silence")


@dataclass
class Cut(Exception):
    """A stream is cut after so many lines, and `share` (0 to 1) of one more."""

    after: int
    share: float = 0.0
    way: str = "half-close"


@dataclass
class Cuts:
    """How often each container's log was cut. Give out where the next stream of it is to be cut with `next`."""

    done: dict[str, int] = field(default_factory=dict)

    def next(self, container: str, faults: Faults) -> Cut | None:
        if faults.cut_logs_after is not None:
            return Cut(faults.cut_logs_after - 1, 1.0)
        done = self.done.get(container, 0)
        if done >= faults.cut_times:
            return None
        chance = random.Random(f"{faults.cut_seed} {container} {done}")  # noqa: S311 - repeatable, not secret
        way = faults.cut_ways[chance.randrange(len(faults.cut_ways))]
        return Cut(chance.randrange(faults.cut_within), chance.random(), way)

    def count(self, container: str) -> None:
        self.done[container] = self.done.get(container, 0) + 1


async def carry_out(cut: Cut, transport: asyncio.Transport) -> None:
    """End the connection in that way ("end" is the caller's)."""
    if cut.way == "reset":
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif cut.way == "silence":
        while not transport.is_closing():
            await asyncio.sleep(0.02)
    transport.abort()  # without that option the kernel says FIN
