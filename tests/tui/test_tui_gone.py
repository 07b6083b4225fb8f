"""The app ends when nobody can look at it any more; a change that was begun comes to its end first."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SCRIPT = f"""
    import sys, threading, time, pathlib
    sys.path.insert(0, {str(HERE)!r})
    import toolkit.tui.app as app
    from toolkit.tui import gone
    from tui_stand_ins import StandInCore, StandInOpener, World

    class Change:
        "One that takes a second, from when it is told that nobody will answer."
        over, name, ongoing, seconds = False, "made up", True, 0.0
        def decline(self):
            def end():
                time.sleep(1)
                pathlib.Path("ended").touch()
                self.ongoing = False
            threading.Thread(target=end).start()

    made = app.ToolkitApp
    def with_change(opener, environment):
        one = made(opener, environment, core=StandInCore)
        enter = one.enter
        async def entered(*arguments):
            await enter(*arguments)
            one.operation = Change()
        one.enter = entered
        return one
    app.ToolkitApp = with_change
    sys.exit(app.run_app("rp006", StandInOpener(World())))
"""


@contextmanager
def running(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app on a terminal that is no controlling one, so that no signal tells of its end; and its other side."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=directory,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
    )
    os.close(slave)
    try:
        seen, deadline = b"", time.monotonic() + 60
        while b"nothing needs you" not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 65536)
        yield process, master
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            os.close(master)


def test_a_terminal_that_is_closed_without_a_signal(home: Path, tmp_path: Path) -> None:
    with running(tmp_path) as (process, master):
        os.close(master)
        assert process.wait(20) == 128 + signal.SIGHUP
    assert (tmp_path / "ended").exists()
    assert not list(home.rglob("crash-*"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal(number: signal.Signals, home: Path, tmp_path: Path) -> None:
    with running(tmp_path) as (process, master):
        process.send_signal(number)
        seen, deadline = b"", time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    seen += os.read(master, 65536)
        assert process.returncode == 128 + number
        assert b"Traceback" not in seen
        assert b"\x1b[?1049l" in seen, "the terminal is as it was"
    assert (tmp_path / "ended").exists()
    assert not list(home.rglob("crash-*"))
