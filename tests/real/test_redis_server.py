"""The sandbox's Redis: a real server, private, with its password kept to itself, gone when its parent is."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from toolkit.errors import Failed
from toolkit.sandbox.redis.server import RedisServer

PASSWORD = 'a "quoted" \\ pässword'

kinds = [
    pytest.param(False, id="real"),
    pytest.param(
        True,
        id="stand-in",
        marks=pytest.mark.skipif(importlib.util.find_spec("fakeredis") is None, reason="fakeredis: Python 3.13 and up"),
    ),
]


@pytest.fixture(params=kinds)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis", PASSWORD, stand_in=request.param)
    if not request.param and not server.real:
        pytest.skip("no redis-server for this Python")
    server.start()
    yield server
    server.stop()


def test_takes_its_password_and_no_other(server: RedisServer) -> None:
    assert server.command("PING") == b"+PONG"
    server._password = "another"
    with pytest.raises(Failed, match="WRONGPASS"):
        server.command("PING")


def test_password_can_be_changed(server: RedisServer) -> None:
    server.set_password("a new one")
    assert server.command("PING") == b"+PONG"


def test_password_is_in_no_process_list_and_the_directory_is_private(server: RedisServer) -> None:
    assert server.pid is not None
    process = psutil.Process(server.pid)
    for member in (process, *process.children(recursive=True)):
        assert "pässword" not in " ".join(member.cmdline())
    assert server.directory.stat().st_mode & 0o077 == 0
    assert (server.directory / "redis.conf").stat().st_mode & 0o077 == 0


def test_listens_on_no_port(server: RedisServer) -> None:
    assert isinstance(server.target, Path)
    assert psutil.Process(server.pid).net_connections("inet") == []


def test_stop_leaves_nothing_running_and_no_password_behind(server: RedisServer) -> None:
    pid = server.pid
    server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not (server.directory / "redis.conf").exists()
    server.stop()


def test_starts_again(server: RedisServer) -> None:
    server.stop()
    server.start()
    assert server.command("DBSIZE") == b":0"


@pytest.mark.parametrize("stand_in", kinds)
def test_dies_with_a_parent_that_is_killed_hard(tmp_path: Path, stand_in: bool) -> None:
    script = (
        "import os, pathlib, sys, time\n"
        "from toolkit.sandbox.redis.server import RedisServer\n"
        f"server = RedisServer(pathlib.Path(sys.argv[1]), 'a-password', stand_in={stand_in})\n"
        "server.start(); print(server.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the server outlived its parent"
        time.sleep(0.02)


def test_long_directory_gets_a_short_socket(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / ("a" * 60) / ("b" * 60), "a-password")
    server.start()
    try:
        assert server.command("PING") == b"+PONG"
        target = server.target
    finally:
        server.stop()
    assert isinstance(target, Path)
    assert not target.parent.exists()


def test_failure_to_start_says_what_the_server_said(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "a-password", maxmemory="much")
    if not server.real:
        pytest.skip("no redis-server for this Python")
    with pytest.raises(Failed, match=r"(?i)maxmemory|memory value"):
        server.start()
    assert not server.running
