"""The commands that the reading prompt lets through, against what a real redis-server says of them."""

from __future__ import annotations

import pytest
from redis_fixtures import Proxied, needs_real_redis, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.cli.redis_prompt import drawn
from toolkit.systems.redis_proxy.commands import _READING_PARTS, _READS, only_reads

pytestmark = needs_real_redis

CHANGING = (
    "SET a b|flushall|DEL a|CONFIG SET a b|config rewrite|CLIENT KILL a|EVAL x 0|SHUTDOWN|KEYS *|SUBSCRIBE a|MONITOR|"
    "SELECT 1|AUTH x|ACL SETUSER a|ACL LIST|GETDEL a|GETEX a|SORT a STORE b|MEMORY PURGE|SCRIPT FLUSH|DEBUG SLEEP 1|"
    "BLPOP a 0|XREAD BLOCK 0 STREAMS a 0|nonsense|CONFIG|"
)


def test_none_writes_blocks_or_stays(redis: Proxied) -> None:
    client = redis.client()
    for info in client.command(["COMMAND"]):
        name, flags = info[0].decode().upper(), {flag.decode() for flag in info[2]}
        if only_reads([name]):
            assert not flags & {"write", "pubsub", "blocking"}, name
            assert name in _READING_PARTS or not flags & {"admin"}, name


def test_a_server_that_was_read_is_as_it_was(redis: Proxied) -> None:
    redis.run("SET", "key", "value")
    redis.run("ZADD", "index", "1", "group")
    client = redis.client()
    before = (client.scan(), client.index("index"), client.get_range("key", 0, 100))
    for name in sorted(_READS):
        for words in ([name], [name, "key"], [name, "index", "0", "-1"], [name, "key", "0", "0"]):
            _tried(redis, words)
    for name, parts in _READING_PARTS.items():
        for part in sorted(parts):
            _tried(redis, [name, part, "key"] if part else [name])
    assert (client.scan(), client.index("index"), client.get_range("key", 0, 100)) == before


def _tried(redis: Proxied, words: list[str]) -> None:
    from toolkit.errors import ToolkitError

    client = redis.client()
    try:
        list(drawn(client.command(words)))
    except ToolkitError:
        pass  # wrong number of arguments, wrong type: what counts is what it leaves behind
    finally:
        client.close()


@pytest.mark.parametrize("line", CHANGING.split("|"))
def test_not_let_through(line: str) -> None:
    assert not only_reads(line.split())


def test_replies_as_redis_cli_draws_them() -> None:
    assert list(drawn(None)) == ["(nil)"]
    assert list(drawn(3)) == ["(integer) 3"]
    assert list(drawn([])) == ["(empty)"]
    assert list(drawn(b'a "b"\x00\xff')) == ['"a \\"b\\"\\x00\\xff"']
    assert list(drawn([b"a", [b"b", 1], None])) == ['1) "a"', '2) 1) "b"', "   2) (integer) 1", "3) (nil)"]
    assert list(drawn(b"# Server\r\nversion:1")) == ["# Server", "version:1"]
    assert list(drawn(b"x" * 5000)) == ['"' + "x" * 4096 + '" … (5,000 bytes in all)']
