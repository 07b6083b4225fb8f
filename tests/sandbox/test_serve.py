"""`toolkit serve` without a browser: who is let in, who is not, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from conftest import Sandbox

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from serving import Serving, wait_for

from toolkit.browser import server
from toolkit.browser.door import LINK_SECONDS, Door

NEXT = "Press Enter in the terminal"


class Heard:
    """What the server said, and its links."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.links: list[str] = []

    def tell(self, text: str) -> None:
        self.said.append(text)

    def link(self, address: str) -> None:
        self.links.append(address)


# An app in few lines that speaks as Textual's does: says where it runs, echoes, ends when told so.
STUB = r"""
import os, sys, time
if len(sys.argv) > 1: open(sys.argv[1], "a").write(f"{os.getpid()}\n")
os.write(1, b"__GANGLION__\n")
def draw(data): os.write(1, b"D" + len(data).to_bytes(4, "big") + data)
draw(b"ready " + repr(sys.argv[2:]).encode())
while head := sys.stdin.buffer.read(5):
    body = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if head[:1] == b"D": draw(b"got " + body)
    if body == b"crash": sys.exit("it broke")
    if b"quit" in body and "stubborn" not in sys.argv: break
    if b"quit" in body: time.sleep(600)
"""


@asynccontextmanager
async def serving(*arguments: str, changes: bool = False) -> AsyncIterator[tuple[server.Server, Heard, str]]:
    """A server in this process whose tabs are the stub; gives its origin too."""
    heard = Heard()
    command = (sys.executable, "-c", STUB, *arguments)
    one = server.Server(server.Served(command, "a title", changes=changes), server.bind(0), heard)
    task = asyncio.create_task(one.serve())
    while not heard.links:
        await asyncio.sleep(0.01)
    try:
        yield one, heard, f"http://127.0.0.1:{one.port}"
    finally:
        one.stop()
        await asyncio.wait_for(task, 30)


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A browser's cookies, kept apart by path as a browser does."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def refused(session: aiohttp.ClientSession, url: str, status: int = 403, **more: Any) -> str:
    async with session.get(url, **more) as answer:
        assert answer.status == status, url
        return await answer.text()


async def let_in(session: aiohttp.ClientSession, link: str) -> None:
    async with session.get(link) as page:
        await page.read()


async def connect(session: aiohttp.ClientSession, one: server.Server, origin: str) -> aiohttp.ClientWebSocketResponse:
    ws = await session.ws_connect(f"{origin}{one.door.inside}/ws?width=90&height=30", headers={"Origin": origin})
    assert (await ws.receive_bytes(timeout=20)).startswith(b"ready")
    return ws


async def test_the_link_lets_in_once(home: Path) -> None:
    async with serving() as (one, heard, origin), client() as mine, client() as other:
        async with mine.get(heard.links[0], allow_redirects=False) as answer:
            assert answer.status == 303
            assert heard.links[0].rsplit("/", 1)[1] not in answer.headers["Location"]
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert f"Path={one.door.inside}" in cookie
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
        async with mine.get(f"{origin}{one.door.inside}/") as page:
            assert page.status == 200
            text = await page.text()
            assert "https:" not in text
            assert f"ws://127.0.0.1:{one.port}{one.door.inside}/ws" in text
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        async with mine.get(f"{origin}{one.door.inside}/static/js/textual.js") as script:
            assert script.status == 200
        assert "used already" in await refused(other, heard.links[0])
        assert NEXT in await refused(other, f"{origin}{one.door.inside}/")
        # A new link lets in the other one, and kills a link that nobody used.
        one.link()
        one.link()
        assert NEXT in await refused(other, heard.links[1])
        async with other.get(heard.links[2]) as page:
            assert page.status == 200


@pytest.mark.parametrize(
    "path", ["", "/", "/static/js/textual.js", "/static/", "/ws", "/download/abc", "/../etc/passwd"]
)
async def test_nothing_without_the_cookie(home: Path, path: str) -> None:
    async with serving() as (one, _, origin), client() as stranger:
        for place in (path, one.door.inside + path):
            assert NEXT in await refused(stranger, f"{origin}{place}")
            assert NEXT in await refused(stranger, f"{origin}{place}", cookies={"toolkit-session": "guessed"})
        with pytest.raises(aiohttp.WSServerHandshakeError) as problem:
            await stranger.ws_connect(f"{origin}{one.door.inside}/ws", headers={"Origin": origin})
        assert problem.value.status == 403
        assert not one._tabs


async def test_other_pages_and_other_names_are_refused(home: Path) -> None:
    async with serving() as (one, heard, origin), client() as mine:
        link = heard.links[0]
        # None of these uses up the link: the browser asked for it because of somebody else, or only looks ahead.
        assert "not the address" in await refused(mine, link, headers={"Host": f"evil.example:{one.port}"})
        assert "not the address" in await refused(mine, link, headers={"Host": "127.0.0.1"})
        assert "Another page" in await refused(mine, link, headers={"Sec-Fetch-Site": "cross-site"})
        assert "Another page" in await refused(mine, link, headers={"Sec-Purpose": "prefetch;prerender"})
        assert "Another page" in await refused(mine, link, headers={"Origin": "http://127.0.0.1:1"})
        async with mine.head(link) as answer:
            assert answer.status == 405
        async with mine.get(link) as answer:
            assert answer.status == 200
        page = f"{origin}{one.door.inside}/"
        assert "not the address" in await refused(mine, page, headers={"Host": f"evil.example:{one.port}"})
        for origins in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as problem:
                await mine.ws_connect(f"{page}ws", headers=origins)
            assert problem.value.status == 403
        assert not one._tabs
        ws = await connect(mine, one, origin)
        await ws.send_json(["stdin", "hello"])
        assert await ws.receive_bytes(timeout=20) == b"got hello"
        await ws.close()


def test_a_link_gets_too_old(home: Path) -> None:
    now = [100.0]
    door = Door(8321, lambda _: None, clock=lambda: now[0])
    door.new_link()
    assert door._link is not None
    assert door._link.until - now[0] == LINK_SECONDS


async def test_an_old_link_is_refused(home: Path) -> None:
    async with serving() as (one, heard, _), client() as mine:
        one.door._clock = lambda: float("inf")
        assert "too old" in await refused(mine, heard.links[0])


async def test_a_tab_is_a_process_without_a_shell(home: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    nasty = "$(touch injected); `id` 'quote\" & |"
    async with serving(str(pids), nasty) as (one, heard, origin), client() as mine:
        await let_in(mine, heard.links[0])
        address = f"{origin}{one.door.inside}/ws"
        ws = await mine.ws_connect(address, headers={"Origin": origin})
        assert (await ws.receive_bytes(timeout=20)).decode() == f"ready {[nasty]!r}"
        again = await connect(mine, one, origin)
        first, second = (int(line) for line in pids.read_text().split())
        # Words that are not of the protocol end this tab alone.
        await ws.send_str("{not json")
        assert (await ws.receive(timeout=20)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        while psutil.pid_exists(first):
            await asyncio.sleep(0.02)
        assert psutil.pid_exists(second)
        # An app that breaks closes its tab, and the terminal says so.
        await again.send_json(["stdin", "crash"])
        while (await again.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
            pass
        while not [line for line in heard.said if "it broke" in line]:
            await asyncio.sleep(0.02)
        for ended in (ws, again):
            await ended.close()
    assert not (tmp_path / "injected").exists()


async def test_there_are_only_so_many_tabs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_TABS", 2)
    monkeypatch.setattr(server, "_ROOM_SECONDS", 0.2)
    async with serving() as (one, heard, origin), client() as mine:
        await let_in(mine, heard.links[0])
        first, second = await connect(mine, one, origin), await connect(mine, one, origin)
        page = f"{origin}{one.door.inside}/"
        assert "Close one" in await refused(mine, page, 503)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await mine.ws_connect(f"{page}ws", headers={"Origin": origin})
        await first.close()
        monkeypatch.setattr(server, "_ROOM_SECONDS", 20.0)
        third = await connect(mine, one, origin)
        assert not second.closed
        for open_one in (second, third):
            await open_one.close()


@pytest.mark.parametrize("changes", [False, True])
async def test_a_tab_that_does_not_end(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: bool
) -> None:
    """Read-only, it is ended after a while; where it may be changing something, only a second Ctrl-C ends it."""
    monkeypatch.setattr(server, "_GRACE", 0.2)
    pids = tmp_path / "pids"
    async with serving(str(pids), "stubborn", changes=changes) as (one, heard, origin), client() as mine:
        await let_in(mine, heard.links[0])
        ws = await connect(mine, one, origin)
        pid = int(pids.read_text())
        one.stop()
        if changes:
            while not [line for line in heard.said if "Ctrl-C again" in line]:
                await asyncio.sleep(0.02)
            assert psutil.pid_exists(pid)
            one.stop()
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.02)
        await ws.close()


# The true app behind it, as typed


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Serving]:
    running = Serving("--env", "sandbox")
    yield running
    running.close()


async def _home_of(running: Serving, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """Open the app of `running`, and wait until its banner is drawn."""
    origin = f"http://127.0.0.1:{running.port}"
    async with session.get(running.link) as page:
        inside = page.url.path
    ws = await session.ws_connect(f"{origin}{inside}ws?width=100&height=24", headers={"Origin": origin})
    await _drawn(ws, "SANDBOX", "Layers")
    return ws


async def _drawn(ws: aiohttp.ClientWebSocketResponse, *wanted: str) -> str:
    """Wait until all of `wanted` was drawn since the last call."""
    drawn = ""
    while not all(one in drawn for one in wanted):
        drawn += (await ws.receive_bytes(timeout=90)).decode(errors="replace")
    return drawn


async def test_ctrl_c_leaves_nothing_behind(served: Serving) -> None:
    async with client() as mine:
        ws = await _home_of(served, mine)
        (app,) = served.apps()
        line = " ".join(app.cmdline())
        assert "--env=sandbox" in line
        assert "--read-only" in line
        assert served.token not in line + " ".join(psutil.Process(served.process.pid).cmdline())
        assert await asyncio.to_thread(served.interrupt) == 0
        assert not psutil.pid_exists(app.pid)
        while not ws.closed:
            await ws.receive(timeout=20)
        await ws.close()
    assert served.token not in served.said


async def test_an_app_ends_when_its_server_was_killed(served: Serving) -> None:
    async with client() as mine:
        ws = await _home_of(served, mine)
        (app,) = served.apps()
        os.kill(served.process.pid, signal.SIGKILL)
        await asyncio.to_thread(wait_for, lambda: not _runs(app), "the end of the app")
        await ws.close()


@pytest.mark.timeout(240)
async def test_a_change_comes_to_its_end_when_its_tab_is_closed(sandbox: Sandbox) -> None:
    def changes() -> list[Any]:
        return [one for one in sandbox.run("journal", "list", "-o", "json").json() if one["operation"] not in before]

    before = {one["operation"] for one in sandbox.run("journal", "list", "-o", "json").json()}
    running = Serving("--env", "sandbox", "--allow-changes")
    try:
        async with client() as mine:
            ws = await _home_of(running, mine)
            await ws.send_json(["stdin", "4"])
            await _drawn(ws, "cronjob")
            await ws.send_json(["stdin", "b"])
            await _drawn(ws, "to carry this out:")
            await ws.send_json(["stdin", "prod-cluster\r"])
            await asyncio.to_thread(wait_for, changes, "the journal")
            (app,) = running.apps()
            await ws.close()
        await asyncio.to_thread(wait_for, lambda: not _runs(app), "the end of the app")
        (done,) = changes()
        assert done["result"] == "done", done
        assert running.interrupt() == 0
    finally:
        running.close()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_is_refused_before_it_begins(sandbox: Sandbox) -> None:
    unknown = sandbox.run("serve", "--env", "sandbx", code=2)
    assert "Did you mean 'sandbox'" in unknown.err
    everywhere = sandbox.run("serve", "--env", "sandbox", "--host", "0.0.0.0", code=5)
    assert "127.0.0.1 only" in everywhere.err
    assert "ssh -N -L" in everywhere.err
    both = sandbox.run("--read-only", "serve", "--env", "sandbox", "--allow-changes", code=5)
    assert "exclude each other" in both.err
    taken = server.bind(0)
    with taken:
        there = sandbox.run("serve", "--env", "sandbox", "--port", str(taken.getsockname()[1]), code=2)
        assert "is taken" in there.err
        assert "--port 0" in there.err
    assert "no such port" in sandbox.run("serve", "--env", "sandbox", "--port", "70000", code=2).err


def test_without_textual_serve(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    missing = sandbox.run("serve", "--env", "sandbox", code=2)
    assert "pip install textual-serve" in missing.err
