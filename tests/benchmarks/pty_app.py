"""A program on a terminal of its own, as a person has it: what it draws, and when. No figures of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?:<=>$]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78PX^_])")


class Terminal:
    """`command`, started on a terminal of `size` (rows, columns). `started` is when (perf_counter)."""

    def __init__(
        self, command: Sequence[str], size: tuple[int, int] = (24, 80), variables: Mapping[str, str] | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**plain, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(variables or {})},
        )
        os.close(slave)
        self._raw = b""

    @property
    def text(self) -> str:
        """All that was drawn since it was last forgotten, without the escape sequences, in the order of drawing."""
        return _ESCAPES.sub(b"", self._raw).decode(errors="replace")

    def see(self, *wanted: str, seconds: float = 60.0) -> float:
        """When (perf_counter) the last of `wanted` had been drawn."""
        until = time.perf_counter() + seconds
        while not all(one in self.text for one in wanted):
            if not self._read(until - time.perf_counter()):
                raise TimeoutError(f"{wanted} did not come; what did:\n{self.text[-2000:]}")
        return time.perf_counter()

    def worked(self) -> float:
        """CPU seconds that it has had so far, of all its threads; unlike the clock, it hardly feels its neighbours."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        if not tasks.is_dir():
            return 0.0
        return sum(int(task.read_text().split()[0]) for task in tasks.glob("*/schedstat")) / 1e9

    def press(self, key: str, *, quiet: float = 0.04, most: float = 1.0) -> float | None:
        """Seconds from a key, pressed in a quiet moment, to the text that is drawn next; None where none is in `most`.
        Escape sequences alone, such as a moved cursor, are no text."""
        until = time.perf_counter() + 5.0
        while self._read(quiet) and time.perf_counter() < until:
            pass
        self._raw = b""
        at = time.perf_counter()
        os.write(self._master, key.encode())
        while not self.text.strip():
            if not self._read(at + most - time.perf_counter()):
                return None
        return time.perf_counter() - at

    def close(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], max(seconds, 0.0))[0]:
            return False
        try:
            self._raw += os.read(self._master, 65536)
        except OSError:  # it has ended
            return False
        return True
