"""The sandbox's daemon: one of it, on loopback alone, private, and gone without a trace."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import Sandbox
from outside import Outside, until

from toolkit.errors import Failed, Interrupted, Unreachable
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox import client, leftovers, room
from toolkit.sandbox.daemon import KEPT, _until_quiet
from toolkit.sandbox.redis.server import server_binary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox needs Linux or macOS")


@pytest.fixture
def own(home: Path) -> Iterator[None]:
    """No sandbox is running at first, and none is left running."""
    yield
    os.environ["TOOLKIT_HOME"] = str(home)
    client.stop()


def world() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((client.directory() / "world.json").read_text("utf-8"))
    return found


def gone(pid: int) -> bool:
    """No such process, or only its zombie, whose parent we are."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def redis_servers(pid: int) -> list[int]:
    return [one.pid for one in psutil.Process(pid).children(recursive=True) if "redis" in " ".join(one.cmdline())]


def test_started_by_two_at_once_it_is_one_sandbox(own: None) -> None:
    command = "from toolkit.sandbox import client; print(client.start().started_now, client.status()['pid'])"
    both = [subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=90)[0].split() for one in both]
    assert sorted(started for started, _ in said) == ["False", "True"]
    assert len({pid for _, pid in said}) == 1
    assert not client.start().started_now


def test_a_start_that_is_stopped_leaves_nothing_running(own: None) -> None:
    told: list[Event] = []

    def tell(event: Event) -> None:
        told.append(event)
        progress.stop.set()

    progress = Progress(tell)
    with pytest.raises(Interrupted):
        client.start(progress=progress)
    (event,) = told
    assert isinstance(event, Advanced)
    assert 0 < event.done <= (event.total or 0)
    assert client.status() is None
    assert {path.name for path in client.directory().iterdir()} <= KEPT


@pytest.mark.parametrize(("disk", "memory", "said"), [(10**18, 0, "has .* left"), (0, 10**18, "this machine has")])
def test_full_size_needs_room(own: None, monkeypatch: pytest.MonkeyPatch, disk: int, memory: int, said: str) -> None:
    monkeypatch.setattr(room, "FULL_DISK", disk)
    monkeypatch.setattr(room, "FULL_MEMORY", memory)
    with pytest.raises(Failed, match=said):
        client.start(size="full")
    assert client.status() is None


def test_it_outlives_who_started_it_and_the_terminal(own: None) -> None:
    subprocess.run([sys.executable, "-c", "from toolkit.sandbox import client; client.start()"], check=True, timeout=90)
    pid = world()["pid"]
    os.kill(pid, signal.SIGHUP)
    status = client.status()
    assert status is not None
    assert status["pid"] == pid


def test_it_listens_on_loopback_alone(sandbox: Sandbox) -> None:
    daemon = psutil.Process(world()["pid"])
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")  # how gRPC shows an address of IPv4
        for process in (daemon, *daemon.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 10  # three clusters, Vault, storage, Loki, Cloud Logging, two proxies, the control
    assert all(address.startswith("127.") for address in listening)


def test_all_its_files_are_for_the_user_alone(sandbox: Sandbox) -> None:
    open_to_others = [
        str(path)
        for path in client.directory().rglob("*")
        if not path.is_symlink() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    assert open_to_others == []


def test_killed_hard_the_next_start_cleans_up(own: None) -> None:
    client.start()
    first = world()
    servers = redis_servers(first["pid"])
    (client.directory() / "sandbox" / "old").write_text("stale", "utf-8")
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: gone(first["pid"]), "the daemon is dead")
    assert client.status() is None
    assert client.start().started_now
    assert world()["pid"] != first["pid"]
    assert all(gone(pid) for pid in servers)
    assert not (client.directory() / "sandbox" / "old").exists()
    assert len(Outside().groups()) == 3


@pytest.mark.skipif(server_binary() is None, reason="needs a real redis-server")
def test_a_redis_that_was_left_running_is_ended_and_nobody_else(tmp_path: Path) -> None:
    folders = [tmp_path / name / "redis" for name in ("ours", "reused")]
    for folder in folders:
        folder.mkdir(parents=True)
    binary = str(server_binary())
    orphan = subprocess.Popen(
        [binary, "--port", "0", "--unixsocket", str(folders[0] / "redis.sock"), "--save", ""],
        cwd=folders[0],
        stdout=subprocess.DEVNULL,
    )
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        until((folders[0] / "redis.sock").exists, "the orphan listens")
        (folders[0] / "redis.pid").write_text(f"{orphan.pid}\n", "ascii")
        (folders[1] / "redis.pid").write_text(f"{bystander.pid}\n", "ascii")
        ended = leftovers.clear(tmp_path, frozenset())
        assert orphan.wait(10) is not None
        assert bystander.poll() is None
        assert len(ended) == 1
        assert list(tmp_path.iterdir()) == []
    finally:
        for process in (orphan, bystander):
            process.kill()
            process.wait()
        if bystander.stdin is not None:
            bystander.stdin.close()


def test_sigterm_ends_it_and_leaves_nothing(own: None) -> None:
    client.start()
    pid = world()["pid"]
    servers = redis_servers(pid)
    os.kill(pid, signal.SIGTERM)
    until(lambda: gone(pid), "the daemon has ended")
    assert all(gone(server) for server in servers)
    assert {path.name for path in client.directory().iterdir()} == {"daemon.log", "daemon.lock", "start.lock"}


def test_stop_waits_until_it_is_gone_and_may_be_said_twice(own: None) -> None:
    client.start()
    pid = world()["pid"]
    assert client.stop()
    until(lambda: gone(pid), "the daemon has ended")
    assert not client.stop()
    assert client.status() is None


def test_it_ends_by_itself_when_nobody_comes(own: None) -> None:
    client.start(quiet_seconds=1)
    pid = world()["pid"]
    until(lambda: gone(pid), "the daemon has ended")
    assert "after a long quiet" in (client.directory() / "daemon.log").read_text("utf-8")


async def test_whoever_comes_puts_the_end_off() -> None:
    visits = 0

    async def come() -> None:
        nonlocal visits
        for _ in range(20):
            await asyncio.sleep(0.05)
            visits += 1

    visitor = asyncio.create_task(come())
    await _until_quiet(lambda: visits, lambda: False, 0.8)
    assert visitor.done()
    assert visits == 20


async def test_an_open_connection_puts_the_end_off() -> None:
    left = 20

    def in_use() -> bool:
        nonlocal left
        left -= 1
        return left > 0

    await _until_quiet(lambda: None, in_use, 0.2)
    assert left <= 0


def test_the_control_is_for_those_who_know_its_token(sandbox: Sandbox) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        request = urllib.request.Request(world()["control"]["url"] + "/v1/stop", data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        caught.value.close()
        assert caught.value.code == 403
    assert client.status() is not None


def test_the_sandbox_of_another_version_is_replaced(own: None) -> None:
    client.start()
    file = client.directory() / "world.json"
    old = world()
    file.write_text(json.dumps({**old, "version": "0.0.1"}), "utf-8")
    assert client.start().started_now
    assert world()["pid"] != old["pid"]


def test_when_it_does_not_come_up_the_end_of_its_log_is_shown(
    own: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bin" / "redis-server"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho this redis is broken\nexit 1\n", "utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(Unreachable) as caught:
        client.start()
    assert "this redis is broken" in caught.value.message
    assert "daemon.log" in caught.value.hint
    assert "Traceback" not in caught.value.message


def test_without_a_sandbox_scenarios_say_how_to_start_one() -> None:
    with pytest.raises(Unreachable, match="No sandbox is running") as caught:
        client.apply_scenario(["redis-flushed"])
    assert "toolkit sandbox start" in caught.value.hint


def test_a_damaged_world_file_counts_as_none(own: None) -> None:
    client.directory().mkdir(mode=0o700)
    (client.directory() / "world.json").write_text("{", "utf-8")
    assert client.status() is None
    assert client.start().started_now


def test_the_client_is_light() -> None:
    heavy = ("aiohttp", "asyncio", "numpy", "pyarrow", "redis", "yaml", "kubernetes")
    command = f"import sys; from toolkit.sandbox import client; print([n for n in {heavy!r} if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "[]"
