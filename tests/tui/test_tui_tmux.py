"""The app as a person has it: in a real terminal of 80x24, by the keyboard alone, from the start to a solved drill."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toolkit.drills import choice
from toolkit.sandbox import client
from toolkit.sandbox.scenarios import SCENARIOS

CASE = "redis-flushed"
PATIENCE = 45.0  # seconds that anything may take on a busy machine

pytestmark = [
    pytest.mark.skipif(
        shutil.which("tmux") is None,
        reason="NOT TESTED: the app in a real terminal. tmux is missing: apt-get install tmux",
    ),
    pytest.mark.timeout(240),
]


class Terminal:
    """A shell in a tmux of its own, 80 columns by 24 rows."""

    def __init__(self, home: Path, socket: str) -> None:
        self._socket = socket
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH") if name in os.environ
        }
        prompt = home / "prompt.sh"
        prompt.write_text("PS1='ready> '\n", "utf-8")
        variables = {**kept, "TOOLKIT_HOME": str(home), "ENV": str(prompt)}
        variables.setdefault("LANG", "C.UTF-8")
        words = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        self._tmux("-f", os.devnull, "new-session", "-d", "-s", "app", "-x", "80", "-y", "24", *words, "/bin/sh -i")
        self._tmux("set-option", "-g", "escape-time", "0")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._socket, *words], capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "app")

    def told(self, variable: str) -> str:
        """What tmux knows of the terminal."""
        return self._tmux("display-message", "-p", "-t", "app", f"#{{{variable}}}").strip()

    def keys(self, *names: str) -> None:
        self._tmux("send-keys", "-t", "app", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", "app", "-l", text)

    def until(self, condition: Callable[[str], object], what: str) -> str:
        end = time.monotonic() + PATIENCE
        while not condition(seen := self.screen):
            assert time.monotonic() < end, f"waited in vain for {what}; the terminal shows:\n{seen}"
            time.sleep(0.05)
        return seen

    def see(self, *texts: str) -> str:
        """Wait until all of these are on the screen; lines of a text may be broken anywhere between words."""
        return self.until(lambda seen: all(text in _plain(seen) for text in texts), " and ".join(texts))

    def close(self) -> None:
        self._tmux("kill-server")


def _plain(seen: str) -> str:
    return re.sub(r"\s+", " ", seen)


def seed_of(case: str, level: int) -> int:
    """A seed that picks that case: what a trainer hands out."""
    against = {name: [other for other, _ in scenario.against] for name, scenario in SCENARIOS.items()}
    return next(seed for seed in range(10_000) if choice.pick(level, seed, against, "sandbox") == (case,))


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    client.start(rebuild_seconds=1.0)
    try:
        shown = Terminal(tmp_path, f"toolkit-{os.getpid()}")
        try:
            yield shown
        finally:
            shown.close()
    finally:
        client.stop()


def test_from_the_start_to_a_solved_drill(terminal: Terminal) -> None:
    terminal.see("ready>")
    before = terminal.told("alternate_on")
    terminal.type(f'"{sys.executable}" -m toolkit --env sandbox; echo "ended with $?"')
    terminal.keys("Enter")
    home = terminal.see("▞▞ SANDBOX ▞▞", "nothing needs you", "✓ ok redis")
    assert "drill, level" not in home
    assert terminal.told("alternate_on") == "1"

    # A trainer's seed, so that the case is a known one; nothing on the screen names it.
    terminal.keys("D")
    terminal.see("Choose a level", "enter Go on")
    terminal.keys("Tab")
    terminal.see("f1 Help")  # a field has the focus
    terminal.type(str(seed_of(CASE, 1)))
    terminal.see(f"seed {seed_of(CASE, 1)} ")
    terminal.keys("Enter")
    case = terminal.see("reports: “The Group Label dropdown is empty", "Level 1", "a Answer", "drill, level 1, 0 min")
    assert CASE not in case

    # What a person would look at, page by page.
    terminal.keys("Escape")
    pages = [terminal.see("Home", "L2 is empty", "✓ ok redis", "drill, level 1")]
    terminal.keys("2")
    pages.append(terminal.see("available-groups is empty: the app offers no group", "8/8"))
    assert not re.search(r"8/8 +[\d.]+ MB +8/8", pages[-1])  # nothing of any group is in Redis
    terminal.keys("4")
    pages.append(terminal.see("Jobs", "✓ complete", "prod-cluster"))
    terminal.keys("7")
    pages.append(terminal.see("Nothing was changed through this toolkit yet"))
    assert all("drill, level 1" in page and CASE not in page for page in pages)

    # The diagnosis says the same, and mends it: through the gate, with the cluster's name typed.
    terminal.keys("1")
    terminal.see("L2 is empty")
    terminal.keys("w")
    terminal.see("Fill in what you know", "enter Ask")
    terminal.type("BRCA1")
    terminal.keys("Enter")
    terminal.see("Why is BRCA1 missing?", f"✗ {CASE} 95%", "no run is going on", "m Mend")
    terminal.keys("m")
    terminal.see("Type 'prod-cluster' to carry this out")
    terminal.type("prod-cluster")
    terminal.keys("Enter")
    terminal.see("Ended after", "✓ done", "is complete after")
    terminal.keys("Escape")

    # It asks again by itself: the groups are back, and the pods still hold the old ones.
    terminal.see("✗ l1-stale", "m Mend")
    assert CASE not in terminal.screen.partition("ruled out")[0]
    terminal.keys("m")
    terminal.see("app.restart in sandbox", "y")
    terminal.see("Carry this out?")
    terminal.type("y")
    terminal.keys("Enter")
    terminal.see("Ended after", "✓ done")
    terminal.keys("Escape")
    terminal.see("nothing is wrong")

    terminal.keys("D")
    terminal.see("a Answer")
    terminal.keys("a")
    terminal.see("What is it?", "→ vault-sealed: Vault is sealed")
    for name in choice.NAMES[1 : choice.NAMES.index(CASE) + 1]:
        terminal.keys("Down")
        terminal.see(f"→ {name}:")
    terminal.keys("Enter")
    score = _plain(terminal.see(f"✓ Right: {CASE}.", "The shortest way"))
    assert "points 100 of 100" in score, score
    assert "mended yes: the diagnosis does not find it any more" in score
    assert "detours none damage none" in score
    terminal.keys("Enter")
    terminal.see("nothing needs you", "✓ ok redis")
    terminal.until(lambda seen: "drill, level" not in seen, "no drill any more")

    # The terminal is as it was: the shell's own screen, its cursor, no mouse, and it takes a line.
    terminal.keys("q")
    ended = terminal.see("ended with 0", "ready>")
    assert "▞▞ SANDBOX ▞▞" not in ended
    assert "Traceback" not in ended
    assert (terminal.told("alternate_on"), terminal.told("cursor_flag"), terminal.told("mouse_any_flag")) == (
        before,
        "1",
        "0",
    )
    terminal.type("stty -a | grep -o ' icanon\\| echo '")
    terminal.keys("Enter")
    terminal.see("icanon echo")
