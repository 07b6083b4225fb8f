"""The clipboard: which way is taken, and that the secret is on no command line."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from toolkit.errors import Failed
from toolkit.secret import Secret
from toolkit.systems import clipboard

SECRET = Secret("redis-token-for-the-clipboard")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither desktop nor ssh nor tmux, and a PATH of one's own."""
    for name in ("SSH_CONNECTION", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin{os.pathsep}/usr/bin")
    return programs


def program(programs: Path, name: str, status: int = 0) -> Path:
    """A tool that writes down its arguments and what it is fed."""
    record = programs / f"{name}.record"
    path = programs / name
    path.write_text(f'#!/bin/sh\necho "$@" > "{record}"\ncat >> "{record}"\nexit {status}\n')
    path.chmod(0o755)
    return record


def terminal(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A terminal, where /dev/tty is looked for: (what it shows is read from the first, the other is the terminal)."""
    shown, inside = os.openpty()
    monkeypatch.setattr(clipboard, "Path", lambda _: Path(os.ttyname(inside)))
    return shown, inside


@pytest.mark.parametrize(
    ("variables", "platform", "expected"),
    [
        ({}, "darwin", ["pbcopy"]),
        ({}, "win32", ["clip.exe"]),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", ["clip.exe"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({}, "linux", []),
    ],
)
def test_the_desktops_own_tool(variables: dict[str, str], platform: str, expected: list[str]) -> None:
    assert [command[0] for command in clipboard.tools(variables, platform)] == expected


def test_no_tool_over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 22")
    assert clipboard.tools({"DISPLAY": ":0"}, "linux") == []


@pytest.mark.skipif(sys.platform != "linux", reason="chooses among Linux's tools")
def test_the_secret_goes_through_stdin(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    failing, working = program(nowhere, "xclip", status=1), program(nowhere, "xsel")
    assert clipboard.copy(SECRET) == clipboard.Copied("xsel", sure=True)
    assert failing.exists()
    assert working.read_text() == f"--clipboard --input\n{SECRET.reveal()}"


@pytest.mark.skipif(sys.platform != "linux", reason="on a desktop of another kind there is always a tool")
def test_through_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, inside = terminal(monkeypatch)
    try:
        copied = clipboard.copy(SECRET)
        text = os.read(shown, 4096)
    finally:
        os.close(shown)
        os.close(inside)
    assert copied == clipboard.Copied("the terminal (OSC 52)", sure=False)
    assert text == b"\x1b]52;c;" + base64.b64encode(SECRET.reveal().encode()) + b"\x07"


@pytest.mark.skipif(sys.platform != "linux", reason="on a desktop of another kind there is always a tool")
def test_inside_tmux_it_is_tmux_that_copies_and_then_forgets(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    record = nowhere / "calls"
    path = nowhere / "tmux"
    path.write_text(f'#!/bin/sh\necho "$@" >> "{record}"\ncat >> "{record}"\n')
    path.chmod(0o755)
    assert not clipboard.copy(SECRET).sure
    first, second = record.read_text().splitlines()
    assert first == "load-buffer -w -b mapapp-toolkit -"
    assert second == f"{SECRET.reveal()}delete-buffer -b mapapp-toolkit"


@pytest.mark.parametrize(
    ("variables", "start", "end"),
    [
        ({"TMUX": "x"}, b"\x1bPtmux;\x1b\x1b]52;c;", b"\x07\x1b\\"),
        ({"STY": "x"}, b"\x1bP\x1b]52;c;", b"\x07\x1b\\"),
        ({}, b"\x1b]52;c;", b"\x07"),
    ],
)
def test_what_goes_to_an_older_multiplexer(variables: dict[str, str], start: bytes, end: bytes) -> None:
    text = clipboard.sequence(SECRET, variables)
    assert text.startswith(start)
    assert text.endswith(end)


@pytest.mark.skipif(sys.platform != "linux", reason="on a desktop of another kind there is always a tool")
def test_nowhere_to_copy_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "Path", lambda _: tmp_path / "no" / "tty")
    with pytest.raises(Failed, match="no clipboard to copy to") as caught:
        clipboard.copy(SECRET)
    assert "--reveal" in caught.value.hint
