"""Choosing and opening an environment; what is loaded before the first paint; ending while something hangs."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tui_driving import driven
from tui_stand_ins import BROKEN, World

from toolkit.errors import ConfigurationError

HERE = Path(__file__).parent


async def test_environments_are_told_apart_in_words() -> None:
    async with driven(None) as app:
        await app.see("mapapp", "rp006", "sandbox", "PROTECTED", "SANDBOX", "READ-ONLY", "1 open key")
        await app.see("cache manager in  principal", "vault.address", "toolkit config check")
        await app.press("j")
        await app.see("prod-cluster")


async def test_an_environment_opens_on_enter() -> None:
    async with driven(None) as app:
        await app.press("down", "enter")
        await app.see("PROTECTED", "prod-cluster", "oidc-anna", "vault 42m left", "Health")


async def test_the_sandbox_is_loud_and_protection_is_a_word() -> None:
    async with driven("sandbox") as app:
        await app.see("▞▞ SANDBOX ▞▞")
        assert "PROTECTED" not in app.text
        await app.press("e")
        await app.see("Choose an environment")
        await app.press("up", "enter")
        await app.see("PROTECTED")
        await app.gone("▞▞ SANDBOX ▞▞")


async def test_read_only_is_said_whoever_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven("watched") as app:
        await app.see("READ-ONLY")
    monkeypatch.setenv("TOOLKIT_READ_ONLY", "1")
    async with driven("rp006") as app:
        await app.see("READ-ONLY")


async def test_an_unknown_environment_leaves_the_choice() -> None:
    async with driven(None) as app:
        app.app.wanted = "rp007"
        app.app.screen.run_worker(app.app.screen._start())  # type: ignore[attr-defined]
        await app.see("No environment is called 'rp007'", "mapapp, rp006")
        await app.press("down", "enter")
        await app.see("Health")


async def test_a_page_asked_for_before_it_is_open_is_shown_then() -> None:
    world = World()
    world.hanging.add("open")
    async with driven(None, world=world) as app:
        await app.press("2")
        await app.see("Choose an environment first")
        await app.press("down", "enter")
        await app.see("Opening rp006")
        await app.press("7", "2")
        world.release.set()
        await app.see("number 1 of the dropdown")
        assert app.app.page == "groups"


async def test_a_page_asked_for_of_what_cannot_be_opened_is_forgotten() -> None:
    world = World()
    world.hanging.add("open")
    async with driven(None, world=world) as app:
        await app.press("enter")
        await app.see("Opening mapapp")
        await app.press("2")
        world.release.set()
        await app.see("Nothing is known of mapapp yet")
        await app.press("down", "enter")
        await app.see("Needs attention")


async def test_what_cannot_be_opened_says_why_and_another_opens() -> None:
    async with driven(None) as app:
        await app.press("enter")
        await app.see("Nothing is known of mapapp yet", "toolkit config check` lists what is missing")
        await app.press("down", "enter")
        await app.see("Health")


async def test_a_broken_configuration_is_a_panel_and_mended_by_r() -> None:
    world = World()
    world.broken["choices"] = ConfigurationError("toolkit.toml: unknown key 'vaut'; did you mean 'vault'?")
    async with driven(None, world=world) as app:
        await app.see("unknown key 'vaut'")
        world.broken.clear()
        await app.press("r")
        await app.see("rp006")
        await app.gone("unknown key")


async def test_a_bug_while_opening_does_not_end_the_app(home: Path) -> None:
    world = World()
    world.broken["open"] = ZeroDivisionError("division by zero")
    async with driven(None, world=world) as app:
        await app.press("down", "enter")
        await app.see("A bug in the toolkit: ZeroDivisionError", "The report is in")
        world.broken.clear()
        await app.press("enter")
        await app.see("Health")
    assert list(home.glob("state/crash-*.txt"))


async def test_while_one_hangs_another_can_be_chosen() -> None:
    world = World()
    world.hanging.add("open")
    async with driven(None, world=world) as app:
        await app.press("down", "down", "enter")
        await app.see("Starting the sandbox")
        world.hanging.clear()
        await app.press("up", "enter")
        await app.see("PROTECTED", "Health")


def test_nothing_of_an_sdk_is_loaded_before_the_first_paint() -> None:
    script = """
        import asyncio, sys
        sys.path.insert(0, HERE)
        SDKS = {"redis", "hvac", "kubernetes", "google", "requests", "urllib3", "numpy", "pyarrow", "grpc", "yaml"}
        from toolkit.environments.preferences import Tui
        from toolkit.tui.app import ToolkitApp

        class Opener:
            def choices(self): return ()
            def preferences(self): return Tui()
            def open(self, name): raise AssertionError

        async def main():
            app = ToolkitApp(Opener(), None)
            async with app.run_test() as pilot:
                await pilot.pause()
                print(sorted(name for name in sys.modules if name.partition(".")[0] in SDKS))
                print(sorted(name for name in sys.modules if name.startswith(("toolkit.sandbox", "toolkit.cli"))))
        asyncio.run(main())
    """
    code = textwrap.dedent(script).replace("HERE", repr(str(HERE)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n")[:2] == ["[]", "[]"], done


@pytest.mark.parametrize("where", ["open", "overview"])
def test_quitting_ends_at_once_while_a_system_hangs(where: str, tmp_path: Path) -> None:
    """In a real terminal, with threads that never come back (also of a pool, which Python would wait for)."""
    script = f"""
        import sys, concurrent.futures
        sys.path.insert(0, {str(HERE)!r})
        import toolkit.tui.app as app
        from tui_stand_ins import StandInCore, StandInOpener, World
        world = World()
        world.hanging.add({where!r})
        pool = concurrent.futures.ThreadPoolExecutor()
        ask = world.ask
        def asked(name):
            pool.submit(world.release.wait) if name in world.hanging else None
            ask(name)
        world.ask = asked
        app.Core = StandInCore
        made = app.ToolkitApp
        app.ToolkitApp = lambda opener, environment: made(opener, environment, core=StandInCore)
        sys.exit(app.run_app("rp006", StandInOpener(world)))
    """
    seen, code = _in_a_terminal(textwrap.dedent(script), b"open" if where == "open" else b"attention", b"q", tmp_path)
    assert code == 0, seen
    assert b"Traceback" not in seen


def test_a_bug_in_the_app_itself_becomes_a_report_not_a_traceback(home: Path, tmp_path: Path) -> None:
    script = f"""
        import sys
        sys.path.insert(0, {str(HERE)!r})
        import toolkit.tui.app as app
        from tui_stand_ins import StandInOpener
        def broken(self): raise LookupError("nobody thought of this")
        app.ToolkitApp.action_toggle_theme = broken
        sys.exit(app.run_app(None, StandInOpener()))
    """
    seen, code = _in_a_terminal(textwrap.dedent(script), b"PROTECTED", b"t", tmp_path)
    assert code == 70, seen
    assert b"error: a bug in the toolkit: LookupError: nobody thought of this" in seen
    assert b"Traceback" not in seen
    assert len(list(home.glob("state/crash-*.txt"))) == 1


def _in_a_terminal(script: str, wait_for: bytes, key: bytes, directory: Path) -> tuple[bytes, int]:
    """Run `script` on a terminal of its own, press `key` once `wait_for` was drawn; what it wrote, and its status."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=directory
    )
    os.close(slave)
    seen, pressed, deadline = b"", False, time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    seen += os.read(master, 65536)
                except OSError:
                    break
            if not pressed and wait_for.lower() in seen.lower():
                os.write(master, key)
                pressed = True
        return seen, process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()
        os.close(master)


async def test_ctrl_c_twice_ends_the_app() -> None:
    async with driven() as app:
        await app.press("ctrl+c")
        await app.see("Ctrl+C again ends the toolkit")
        await app.press("ctrl+c")
        await app.until(lambda: app.app.return_value == 0, "the end")


async def test_the_connections_are_let_go_when_another_environment_is_opened() -> None:
    async with driven("rp006") as app:
        await app.press("e", "down", "enter")
        await app.see("▞▞ SANDBOX ▞▞")
        await app.until(lambda: app.world.closed, "closed connections")


async def test_a_passing_problem_of_vault_costs_only_the_token_time() -> None:
    world = World()
    world.broken["token_status"] = BROKEN
    async with driven(world=world) as app:
        await app.see("Health", "nothing needs you")
        assert "vault" not in app.text.splitlines()[0]
