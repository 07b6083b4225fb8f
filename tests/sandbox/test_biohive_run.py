"""A command on BioHive: its streams and exit code are the command's own, and nothing of it is left when it ends, is
interrupted, or the connection is cut. A program stands there for the toolkit, and does what is asked of it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from biohive_fixtures import E, Machine, connections_left, needs_sshd, running, started, until_true
from biohive_fixtures import machine as machine
from biohive_fixtures import node as node
from conftest import Sandbox

from toolkit import __version__

pytestmark = needs_sshd

THERE = f"""#!{sys.executable}
import os, pathlib, sys, time
home = pathlib.Path(os.environ["HOME"])
before, words = [], sys.argv[1:]
while words[0] in ("--env", "--read-only"):
    before += [words.pop(0)] if words[0] == "--read-only" else [words.pop(0), words.pop(0)]
if words == ["--version"]:
    print("toolkit {__version__}")
elif words[0] == "exit":
    sys.exit(int(words[1]))
elif words[0] == "read":
    print(sys.stdin.read().upper(), end="")
elif words[0] == "say":
    print("on stdout", before, words[1:], sys.stdout.isatty())
    print("on stderr", file=sys.stderr)
elif words[0] == "die":
    os.kill(os.getpid(), 9)
else:
    (home / "pid").write_text(str(os.getpid()))
    try:
        print("under way", flush=True)
        time.sleep(300)
    except KeyboardInterrupt:
        (home / "tidied").write_text("yes")
        print("tidied up", flush=True)
        sys.exit(130)
"""


@pytest.fixture
def here(machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]) -> Sandbox:
    machine.program("toolkit", THERE)
    return Sandbox(home, capsys)


def nothing_left(machine: Machine) -> None:
    pid = int((machine.remote / "pid").read_text())
    until_true(lambda: not running(pid), "the command there ends")
    until_true(lambda: not list((machine.remote / ".cache/mapapp-toolkit/runs").iterdir()), "its guard ends")
    until_true(lambda: not connections_left(machine), "the connection here ends")


def test_streams_stay_apart(here: Sandbox) -> None:
    ran = here.spawn("biohive", "run", *E, "--", "say", "a b", "c'd", "$HOME", 'é"', "--all")
    assert ran.out == """on stdout ['--env', 'lab'] ['a b', "c'd", '$HOME', 'é"', '--all'] False\n"""
    assert "on stderr" in ran.err
    assert ran.code == 0


@pytest.mark.parametrize("code", [1, 3, 5])
def test_the_exit_code_is_the_commands(here: Sandbox, code: int) -> None:
    assert here.run("biohive", "run", *E, "--", "exit", str(code), code=code).err.count("\n") == 1  # "Connecting …"


def test_stdin_goes_there(here: Sandbox) -> None:
    assert here.spawn("biohive", "run", *E, "--", "read", stdin="brca1\n").out == "BRCA1\n"


def test_read_only_goes_along_and_so_does_the_environment(here: Sandbox) -> None:
    ran = here.spawn("--read-only", "biohive", "run", *E, "--", "say")
    assert "['--env', 'lab', '--read-only'] []" in ran.out
    named = here.spawn("biohive", "run", "--", "say", *E)
    assert "[] ['--env', 'lab']" in named.out


def test_ctrl_c_reaches_it_and_leaves_nothing(machine: Machine, here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "wait") as typed:
        typed.until("under way")
        typed.process.send_signal(signal.SIGINT)
        code, out = typed.end()
    assert code == 130
    assert "tidied up" in out
    nothing_left(machine)


def test_ctrl_c_at_a_terminal(machine: Machine, here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "wait", terminal=True) as typed:
        typed.until("under way")
        assert typed.terminal is not None
        os.write(typed.terminal, b"\x03")
        code, out = typed.end()
    assert code == 130
    assert "tidied up" in out
    nothing_left(machine)


def test_at_a_terminal_it_has_one_there(here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "say", terminal=True) as typed:
        code, out = typed.end()
    assert code == 0
    assert "True" in out


def test_told_to_end_it_ends_there_too(machine: Machine, here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "wait") as typed:
        typed.until("under way")
        typed.process.send_signal(signal.SIGTERM)
        code, _ = typed.end()
    assert code != 0
    nothing_left(machine)


def test_a_connection_that_is_cut(machine: Machine, here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "wait") as typed:
        typed.until("under way")
        machine.cut()
        code, out = typed.end()
    assert code == 3
    assert out == "under way\n"
    assert "was cut while `toolkit wait` ran there" in typed.err
    assert "next:" in typed.err
    assert "Traceback" not in typed.err
    nothing_left(machine)
    assert (machine.remote / "tidied").exists()  # it was asked to end before it was made to


def test_killed_here_it_ends_there(machine: Machine, here: Sandbox) -> None:
    with started("biohive", "run", *E, "--", "wait") as typed:
        typed.until("under way")
        master = machine.sessions()
        typed.process.kill()
        typed.process.wait()
        for session in master:  # as after the minute that the connection outlives it
            for one in [session, *session.children(recursive=True)]:
                if one.is_running() and one.name().startswith("sshd"):
                    try:
                        one.kill()
                    except psutil.NoSuchProcess:
                        continue
    nothing_left(machine)


def test_killed_there_is_not_called_a_cut(here: Sandbox) -> None:
    ran = here.run("biohive", "run", *E, "--", "die", code=1)
    assert "ended by a signal" in ran.err


def test_a_folder_that_is_not_there(machine: Machine, here: Sandbox, home: Path) -> None:
    machine.configure(home, directory="projects/none")
    ran = here.spawn("biohive", "run", *E, "--", "say")
    assert ran.code == 2
    assert "projects/none" in ran.err
