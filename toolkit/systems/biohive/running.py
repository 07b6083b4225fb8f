"""A command that runs on BioHive: its output comes as it is made, its exit code is the command's own.

It can be interrupted, and it ends there when the connection does: see the guard in scripts.py.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from toolkit.errors import ToolkitError
from toolkit.systems.biohive import LOST, BioHive, scripts

_GRACE: Final = 15.0  # seconds between asking something to end and making it


class Running:
    """Runs `words` there. `terminal`: with a terminal of its own there, over the one here, which then brings Ctrl-C.

    Without one, stdout and stderr are those of this process (or `output`, for both), and `signals` are what the guard
    sends, one after the other, once the connection is gone.
    """

    def __init__(
        self,
        biohive: BioHive,
        words: Sequence[str],
        *,
        terminal: bool = False,
        stdin: int | None = subprocess.DEVNULL,
        output: int | None = None,
        signals: Sequence[str] = ("INT", "TERM", "KILL"),
        doing: str = "",
    ) -> None:
        self.biohive = biohive
        self.name = uuid.uuid4().hex[:12]
        self.doing = doing or f"`{words[0]}` ran there"
        self.signalled = False
        biohive.connect()
        self._held = contextlib.ExitStack()
        self._log: Path = self._held.enter_context(biohive.log())
        remote = scripts.watched(self.name, biohive.part.directory, words, signals=signals)
        options = ("-o", "RequestTTY=yes") if terminal else ()
        try:
            self.process = subprocess.Popen(
                biohive.ssh(remote, options=options, log=self._log),
                stdin=None if terminal else stdin,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                start_new_session=not terminal,
            )
        except BaseException:
            self._held.close()
            raise

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None  # noqa: S101 - asked for with `output`
        return self.process.stdout

    def wait(self) -> int:
        """The command's exit code. Raises ConnectionCut; Failed where a signal ended it that was not ours."""
        status = self.process.wait()
        if status == LOST and not self.signalled:
            raise self.lost()
        return status

    def lost(self) -> ToolkitError:
        return self.biohive.lost(self._log.read_text("utf-8", "replace"), f"{self.doing}")

    def signal(self, which: str) -> None:
        """Send a signal there, from another thread than the one that waits; where the connection is gone, the guard
        sees to it."""
        self.signalled = True
        with contextlib.suppress(ToolkitError):
            self.biohive.ask(scripts.signal(self.name, which), doing="ending what runs there", timeout=_GRACE)

    def interrupt(self) -> None:
        """Ctrl-C for it, and at once."""
        threading.Thread(target=self.signal, args=("INT",), name="interrupting", daemon=True).start()

    def close(self, first: str = "INT") -> None:
        """Make it end, there and here; at once where it was asked to before. Nothing happens where it has ended."""
        try:
            for which in ("KILL",) if self.signalled else (first, "KILL"):
                if self.process.poll() is not None:
                    break
                self.signal(which)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_GRACE)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        finally:
            self._held.close()
