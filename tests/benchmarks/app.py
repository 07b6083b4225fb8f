"""The terminal app as a person meets it: the first paint, and how long a key waits, whatever goes on.

    uv run python tests/benchmarks/app.py [paint] [home] [logs] [list] [pages] [hang] [memory]

paint   a real process on a terminal of its own, to its first text and to its whole first page, beside an empty
        Textual app; alternating. The CPU time until then is shown too: it hardly feels what else the machine does.
home    the same, to Home with its figures, on the sandbox.
logs    key to repaint while 50,000 lines a second stream in (app_logs.py).
list    key to repaint on a list of 100,000 groups.
pages   from page to page by the number keys, with all systems well; first visits, which build the page, on their own.
hang    the same while every system hangs: the sandbox is stopped (SIGSTOP) under the app, and all is asked anew.
memory  an hour of following at 1,000 lines a second, as fast as it goes (app_logs.py).
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import app_logs
from bytecode import keep_bytecode
from pty_app import Terminal

PARTS = ("paint", "home", "logs", "list", "pages", "hang", "memory")
ROUNDS, HOME_ROUNDS, KEYS, SECONDS = 15, 3, 120, 12.0
_ANSWERED = 1.5  # seconds after which a page has its answers, where there are any
PAGE_KEYS = ("2", "3", "4", "5", "6", "7", "1")
PAINT_BUDGET, KEY_BUDGET = 1.2, 50.0  # times an empty app; ms at p95
GROUPS = 100_000
TOOLKIT = (sys.executable, "-m", "toolkit")
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("painted")
Empty().run()
"""


def paint() -> None:
    first, whole, empty = [], [], []
    for _ in range(ROUNDS + 1):
        ours = _painted(TOOLKIT, "Choose an environment", "no environment is open")
        first.append(ours[0])
        whole.append(ours[1])
        empty.extend(_painted((sys.executable, "-c", EMPTY), "painted"))
    for name, found in (("first text", first), ("whole first page", whole)):
        parts = []
        for number, kind in enumerate(("clock", "CPU")):
            mine, bare = (statistics.median(one[number] for one in some[1:]) for some in (found, empty))
            parts.append(f"{kind} {mine * 1000:.0f} ms, an empty Textual app {bare * 1000:.0f} ms: x{mine / bare:.2f}")
        print(f"  {name:<17} {'; '.join(parts)}   (budget x{PAINT_BUDGET})")


def _painted(command: Sequence[str], *texts: str) -> list[tuple[float, float]]:
    """Seconds on the clock, and of CPU, until each of `texts` is drawn."""
    terminal = Terminal(command)
    try:
        return [(terminal.see(text) - terminal.started, terminal.worked()) for text in texts]
    finally:
        terminal.close()


def home() -> None:
    from toolkit.sandbox import client

    client.start()
    took = []
    for _ in range(HOME_ROUNDS):
        terminal = Terminal([*TOOLKIT, "--env", "sandbox"])
        took.append(terminal.see("Needs attention", "8/8", "vault-token", "last ") - terminal.started)
        terminal.close()
    print(f"  to Home with its figures, sandbox: median {statistics.median(took):.2f} s, most {max(took):.2f} s")


def logs() -> None:
    for rate in (1_000, app_logs.RATE // 10, app_logs.RATE):
        took, done = asyncio.run(app_logs.keys(rate, SECONDS))
        _told(f"{rate:,} lines a second", took)
    print("    " + ", ".join(f"{name} {number:,}" for name, number in done.items()))


def long_list() -> None:
    with _open([sys.executable, str(Path(__file__).resolve()), "--many"], "Health") as terminal:
        terminal.press("2", most=30.0)
        terminal.see("made-up-000000", seconds=120)
        keys = ("j", "j", "k", "\x1b[6~", "\x1b[6~", "\x1b[5~", "\x1b[F", "k", "\x1b[H", "j")
        _told(f"a list of {GROUPS:,} rows", _pressed(terminal, keys))


def pages() -> None:
    from toolkit.sandbox import client

    client.start()
    with _open([*TOOLKIT, "--env", "sandbox"], "8/8", "vault-token", "nothing needs you") as terminal:
        _from_page_to_page("all systems are well", terminal)


def hang() -> None:
    from toolkit.sandbox import client

    client.start()
    daemon = int(client.status()["pid"])
    with _open([*TOOLKIT, "--env", "sandbox"], "8/8", "vault-token") as terminal:
        os.kill(daemon, signal.SIGSTOP)
        try:
            _from_page_to_page("every system hangs", terminal)
        finally:
            os.kill(daemon, signal.SIGCONT)


def _from_page_to_page(what: str, terminal: Terminal) -> None:
    first = []
    for key in PAGE_KEYS:
        first += _pressed(terminal, (key,), 1)
        time.sleep(_ANSWERED)
    _told(what, _pressed(terminal, PAGE_KEYS))
    print(f"    the first visit of each page: median {statistics.median(first):.0f}, most {max(first):.0f} ms")


@contextmanager
def _open(command: Sequence[str], *texts: str) -> Iterator[Terminal]:
    terminal = Terminal(command)
    try:
        terminal.see(*texts)
        yield terminal
    finally:
        terminal.close()


def _pressed(terminal: Terminal, keys: Sequence[str], times: int = KEYS) -> list[float]:
    """Milliseconds from each key to the text that is drawn next."""
    took = [terminal.press(keys[number % len(keys)]) for number in range(times)]
    return [one * 1000 for one in took if one is not None]


def memory() -> None:
    begun = time.monotonic()
    levels = asyncio.run(app_logs.hour(app_logs.HOUR))
    print(f"  an hour at 1,000 lines a second, in {time.monotonic() - begun:.0f} s:")
    print("    " + "  ".join(f"{count / 1e6:.1f} M: {used} MB" for count, used in levels))


def _told(what: str, took: Sequence[float]) -> None:
    cuts = statistics.quantiles(took, n=100)
    within = "within" if cuts[94] < KEY_BUDGET else "OVER"
    print(
        f"  {what:<24} {len(took)} keys: p50 {cuts[49]:.1f}  p95 {cuts[94]:.1f}  p99 {cuts[98]:.1f}  "
        f"most {max(took):.1f} ms   ({within} {KEY_BUDGET:.0f} at p95)"
    )


def many() -> None:
    """The app on a made-up environment with very many groups; run by `list`, on its terminal."""
    from dataclasses import replace

    from tui_stand_ins import StandInCore, StandInOpener, World

    from toolkit.cache.groups import Overview
    from toolkit.tui.app import ToolkitApp

    class Many(StandInCore):
        def overview(self) -> Any:
            one = super().overview().groups[0]
            return Overview(tuple(replace(one, name=f"made-up-{number:06}") for number in range(GROUPS)))

    ToolkitApp(StandInOpener(World()), "rp006", core=Many).run()


def main() -> None:
    keep_bytecode()
    if sys.argv[1:] == ["--many"]:
        many()
        return
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"No such part: {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.")
    run = {
        "paint": paint,
        "home": home,
        "logs": logs,
        "list": long_list,
        "pages": pages,
        "hang": hang,
        "memory": memory,
    }
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, 80x24; key to repaint in ms"
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the sandbox is stopped all the same
    with tempfile.TemporaryDirectory() as directory:
        os.environ["TOOLKIT_HOME"] = directory
        try:
            for part in PARTS:
                if part in wanted:
                    load = os.getloadavg()[0]
                    print(f"{part} (load {load:.1f})", flush=True)
                    run[part]()
        finally:
            from toolkit.sandbox import client

            client.stop()


if __name__ == "__main__":
    main()
