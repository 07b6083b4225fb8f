"""`toolkit serve` in a process of its own, as tests run it: its link, what it says, what it starts."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 90.0) -> T:
    """The first true thing that `look` gives."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"did not come: {what}"
        time.sleep(0.05)
    return found


class Serving:
    """A running server. `link` is what it printed; `said` its stderr so far."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "toolkit", "serve", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        self.said = ""
        self._links: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read_links, self._read_narration)
        ]
        for reader in self._readers:
            reader.start()
        self.link = self._links.get(timeout=60)
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/enter/([\w-]{40,})\n", self.link)
        assert found, self.link
        self.link, self.port, self.token = self.link.strip(), int(found[1]), found[2]

    def apps(self) -> list[psutil.Process]:
        """The apps behind tabs, that run now."""
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for reader in self._readers:
            reader.join(10)

    def _read_links(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._links.put(line)

    def _read_narration(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.said += line
