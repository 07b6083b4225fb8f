"""The sandbox's TCP proxy, between plain sockets: every byte passes, and each fault is felt as in real life."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from toolkit.sandbox.redis.tcp_proxy import Cut, Delay, Hang, Refuse, TcpProxy


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """A proxy in front of a server that answers each line N with N bytes."""

    tasks = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(b"x" * int(line))
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    proxy = TcpProxy(server.sockets[0].getsockname()[:2])
    await proxy.start()
    yield proxy
    await proxy.stop()
    server.close()
    await asyncio.gather(*tasks)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What is still to be read before the connection ends, cleanly or not."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def ask(proxy: TcpProxy, size: int, *, within: float = 5.0) -> bytes:
    """What arrives of an answer of `size` bytes before the connection ends."""
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    try:
        writer.write(b"%d\n" % size)
        got = b""
        async with asyncio.timeout(within):
            while len(got) < size and (piece := await reader.read(65536)):
                got += piece
        return got
    finally:
        await close(writer)


async def test_every_byte_passes(proxy: TcpProxy) -> None:
    assert len(await ask(proxy, 5_000_000)) == 5_000_000


async def test_many_at_once(proxy: TcpProxy) -> None:
    answers = await asyncio.gather(*(ask(proxy, size) for size in range(1, 40)))
    assert [len(answer) for answer in answers] == list(range(1, 40))


async def test_slow_reader_holds_the_server_back_and_loses_nothing(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=1024)
    writer.write(b"20000000\n")
    await asyncio.sleep(0.05)
    waiting = sum(s.client.transport.get_write_buffer_size() for s in proxy._sessions if s.client.transport)
    assert waiting < 3_000_000
    assert len(await reader.readexactly(20_000_000)) == 20_000_000
    await close(writer)


async def test_answer_still_comes_after_the_client_has_said_its_last(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(b"7\n")
    writer.write_eof()
    assert await reader.read() == b"xxxxxxx"
    await close(writer)


async def test_refuse(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    await proxy.set_fault(Refuse())
    with pytest.raises(ConnectionError):
        await ask(proxy, 1)
    assert await rest(reader) == b""
    await close(writer)
    await proxy.set_fault(None)
    assert await ask(proxy, 3) == b"xxx"


async def test_hang_then_recover(proxy: TcpProxy) -> None:
    await proxy.set_fault(Hang())
    with pytest.raises(TimeoutError):
        await ask(proxy, 1, within=0.1)
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(b"2\n")
    await proxy.set_fault(None)
    assert await reader.readexactly(2) == b"xx"
    await close(writer)


@pytest.mark.parametrize("after", [0, 1, 1000, 999_999])
async def test_cut_in_the_middle_of_a_reply(proxy: TcpProxy, after: int) -> None:
    await proxy.set_fault(Cut(after))
    assert len(await ask(proxy, 1_000_000)) == after


async def test_delay(proxy: TcpProxy) -> None:
    await proxy.set_fault(Delay(0.05))
    started = asyncio.get_running_loop().time()
    assert await ask(proxy, 10) == b"x" * 10
    assert asyncio.get_running_loop().time() - started >= 0.04


async def test_delay_bounds_no_rate(proxy: TcpProxy) -> None:
    await proxy.set_fault(Delay(60.0))
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(b"20000000\n")
    while sum(session.late_bytes for session in proxy._sessions) < 20_000_000:  # all is under way at once
        await asyncio.sleep(0.001)
    await proxy.set_fault(None)
    writer.write(b"1\n")
    assert len(await reader.readexactly(20_000_001)) == 20_000_001
    await close(writer)


async def test_move(proxy: TcpProxy) -> None:
    old = (proxy.host, proxy.port)
    await proxy.move("127.0.0.1", 0)
    assert (proxy.host, proxy.port) != old
    assert await ask(proxy, 4) == b"xxxx"
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*old)


async def test_listens_on_loopback_only(proxy: TcpProxy) -> None:
    with pytest.raises(ValueError, match="loopback"):
        await TcpProxy(proxy.target).start("0.0.0.0")


async def test_target_gone_ends_the_connection(proxy: TcpProxy) -> None:
    proxy.target = ("127.0.0.1", 1)
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    assert await rest(reader) == b""
    await close(writer)
