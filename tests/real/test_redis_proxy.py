"""The toolkit's Redis client against a real redis-server behind a TCP proxy: what it does, and what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from redis_fixtures import TOKEN, Proxied, needs_real_redis, permit_fixture, proxied_fixture, redis_fixture  # noqa: F401

from toolkit.environments import model
from toolkit.errors import (
    ConfigurationError,
    Failed,
    Interrupted,
    NotAllowed,
    Refused,
    TimedOut,
    ToolkitError,
    Unreachable,
)
from toolkit.permit import Permit
from toolkit.progress import Event, Progress
from toolkit.sandbox.redis.tcp_proxy import Cut, Delay, Hang, Refuse
from toolkit.secret import Secret
from toolkit.systems import redis_proxy
from toolkit.systems.redis_proxy import Address, RedisProxy, WrongType
from toolkit.systems.redis_proxy.address import probe

pytestmark = needs_real_redis

INDEX = "available-groups"


def raised(problem: pytest.ExceptionInfo[ToolkitError]) -> str:
    """All that a person would read; the token is never in it."""
    error = problem.value
    text = "\n".join([error.message, error.hint, *error.by_hand])
    chain: BaseException | None = error
    while chain is not None:
        assert TOKEN not in repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__
    assert TOKEN not in text
    assert error.hint
    return text


class TestLooking:
    def test_ping(self, redis: Proxied) -> None:
        assert 0 < redis.client().ping() < 2

    def test_index_is_in_rank_order(self, redis: Proxied) -> None:
        redis.run("ZADD", INDEX, "3", "newest", "1", "oldest", "2", "a", "2", "b")
        assert redis.client().index(INDEX) == [("newest", 3.0), ("b", 2.0), ("a", 2.0), ("oldest", 1.0)]

    def test_index_with_odd_scores(self, redis: Proxied) -> None:
        redis.run("ZADD", INDEX, "-inf", "never", "inf", "always", "1700000000.25", "half")
        assert redis.client().index(INDEX) == [
            ("always", float("inf")),
            ("half", 1700000000.25),
            ("never", -float("inf")),
        ]

    def test_no_index(self, redis: Proxied) -> None:
        assert redis.client().index(INDEX) == []

    def test_index_that_is_no_sorted_set(self, redis: Proxied) -> None:
        redis.run("SET", INDEX, "x")
        with pytest.raises(Failed, match="WRONGTYPE"):
            redis.client().index(INDEX)

    def test_lengths_tell_empty_from_absent(self, redis: Proxied) -> None:
        redis.run("SET", "empty", "")
        redis.run("SET", "full", "12345")
        assert redis.client().lengths(["full", "empty", "none"]) == {"full": 5, "empty": 0, "none": None}

    def test_lengths_of_many(self, redis: Proxied) -> None:
        for number in range(0, 1300, 100):
            redis.run("SET", f"key {number}", "x" * number)
        lengths = redis.client().lengths(f"key {number}" for number in range(1300))
        assert {key: length for key, length in lengths.items() if length is not None} == {
            f"key {number}": number for number in range(0, 1300, 100)
        }

    def test_lengths_name_the_key_that_is_no_value(self, redis: Proxied) -> None:
        redis.run("SET", "frame", "12345")
        redis.run("HSET", "group:odd", "field", "value")
        with pytest.raises(WrongType) as problem:
            redis.client().lengths(["frame", "group:odd"])
        assert "group:odd" in raised(problem)
        assert problem.value.lengths == {"frame": 5}

    def test_keys_of_any_bytes_survive(self, redis: Proxied) -> None:
        raw = b"gr\xff\xfeoup:\x00 frame\n"
        redis.run("SET", raw, "12")
        redis.run("ZADD", INDEX, "1", raw)
        client = redis.client()
        (key,) = [key for key in client.scan() if key != INDEX]
        assert key.encode("utf-8", "surrogateescape") == raw
        assert client.lengths([key]) == {key: 2}
        assert client.index(INDEX) == [(key, 1.0)]

    def test_scan_finds_all_and_what_matches(self, redis: Proxied) -> None:
        redis.populate(12000, "other")
        redis.run("SET", "group[1]:frame", "x")
        client = redis.client()
        assert len(client.scan()) == client.dbsize() == 12001
        assert client.scan(r"group\[1\]:*") == ["group[1]:frame"]

    def test_server_info(self, redis: Proxied) -> None:
        redis.run("SET", "a", "b")
        info = redis.client().server_info()
        assert info.role == "master"
        assert info.version[0].isdigit()
        assert info.keys == {0: 1}
        assert info.max_bytes == 1024**3

    def test_ranges(self, redis: Proxied) -> None:
        redis.run("SET", "value", "0123456789")
        client = redis.client()
        assert client.get_range("value", 2, 5) == b"234"
        assert client.get_range("value", 8, 100) == b"89"
        assert client.get_range("value", 5, 5) == b""
        assert client.get_range("none", 0, 5) == b""

    def test_large_value_in_pieces(self, redis: Proxied) -> None:
        value = bytes(range(256)) * 50_000  # 12.8 MB
        redis.run("SET", "value", value)
        pieces = list(redis.client().value("value"))
        assert len(pieces) == 4
        assert b"".join(pieces) == value

    def test_value_that_is_replaced_while_it_is_read(self, redis: Proxied) -> None:
        redis.run("SET", "value", b"x" * (redis_proxy.CHUNK + 1))
        pieces = redis.client().value("value")
        next(pieces)
        redis.run("SET", "value", b"y" * (redis_proxy.CHUNK + 100))
        with pytest.raises(Failed, match="replaced") as problem:
            list(pieces)
        assert "rebuild" in raised(problem)

    def test_expiries(self, redis: Proxied) -> None:
        redis.run("SET", "short", "x", "PX", "60000")
        redis.run("SET", "long", "x")
        found = redis.client().expiries(["short", "long", "none"])
        assert found["long"] is None
        assert found["none"] is None
        assert 50_000 < (found["short"] or 0) <= 60_000

    def test_many_threads_share_one_client(self, redis: Proxied) -> None:
        client = redis.client()
        redis.run("SET", "value", b"x" * 1_000_000)
        wrong: list[object] = []

        def read() -> None:
            for _ in range(10):
                if len(client.get_range("value", 0, 1_000_000)) != 1_000_000:
                    wrong.append(1)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_opens_again_after_close(self, redis: Proxied) -> None:
        client = redis.client()
        client.ping()
        client.close()
        client.ping()


class TestChanging:
    def test_unlink_counts_what_was_there_and_tells_how_far_it_is(self, redis: Proxied, permit: Permit) -> None:
        redis.populate(1200, "frame")
        told: list[Event] = []
        keys = [f"frame:{number}" for number in range(1200)]
        assert redis.client().unlink([*keys, "none"], permit, Progress(told.append)) == 1200
        assert redis.run("DBSIZE") == b":0"
        assert [getattr(event, "done", 0) for event in told] == [500, 1000, 1201]

    def test_unlink_stops_between_batches(self, redis: Proxied, permit: Permit) -> None:
        redis.populate(1200, "frame")
        progress = Progress(lambda event: progress.stop.set())
        with pytest.raises(Interrupted):
            redis.client().unlink([f"frame:{number}" for number in range(1200)], permit, progress)
        assert redis.run("DBSIZE") == b":700"

    def test_members(self, redis: Proxied, permit: Permit) -> None:
        client = redis.client()
        client.set_members(INDEX, {"a": 1.5, "b": 1700000000.123456, "c": float("inf")}, permit)
        assert client.index(INDEX) == [("c", float("inf")), ("b", 1700000000.123456), ("a", 1.5)]
        assert client.remove_members(INDEX, ["a", "nobody"], permit) == 1
        assert client.remove_members(INDEX, [], permit) == 0
        assert [name for name, _ in client.index(INDEX)] == ["c", "b"]

    def test_flush(self, redis: Proxied, permit: Permit) -> None:
        redis.run("SET", "a", "b")
        client = redis.client()
        client.flush(permit)
        assert client.dbsize() == 0

    def test_value_is_written_whole(self, redis: Proxied, permit: Permit) -> None:
        value = bytes(range(256)) * 40_000
        client = redis.client()
        assert client.set_value("frame", iter([value[:5_000_000], value[5_000_000:]]), permit) == len(value)
        assert b"".join(client.value("frame")) == value
        assert client.expiries(["frame"]) == {"frame": None}
        assert client.scan() == ["frame"]

    def test_value_that_expires(self, redis: Proxied, permit: Permit) -> None:
        client = redis.client()
        client.set_value("frame", [b"x"], permit, expires_ms=60_000)
        assert client.expiries(["frame"])["frame"] is not None

    def test_source_that_breaks_leaves_the_old_value_and_nothing_else(self, redis: Proxied, permit: Permit) -> None:
        redis.run("SET", "frame", "old")

        def chunks() -> Iterator[bytes]:
            yield b"new"
            raise Failed("the file on disk is not what the manifest says")

        client = redis.client()
        with pytest.raises(Failed, match="manifest"):
            client.set_value("frame", chunks(), permit)
        assert client.scan() == ["frame"]
        assert client.get_range("frame", 0, 10) == b"old"

    def test_nothing_changes_without_an_open_permit(self, redis: Proxied) -> None:
        redis.run("SET", "a", "b")
        spent = Permit("spent")
        spent.revoke()
        client = redis.client()
        for change in (
            lambda: client.unlink(["a"], spent),
            lambda: client.flush(spent),
            lambda: client.set_members(INDEX, {"a": 1.0}, spent),
            lambda: client.remove_members(INDEX, ["a"], spent),
            lambda: client.set_value("a", [b"x"], spent),
        ):
            with pytest.raises(Refused):
                change()
        assert client.scan() == ["a"]


class TestBadDays:
    def test_wrong_token(self, redis: Proxied) -> None:
        with pytest.raises(NotAllowed) as problem:
            redis.client(token="an-old-token").ping()
        said = raised(problem)
        assert problem.value.exit_code == 4
        assert "does not take the token that lies in Vault" in said
        assert Secret("an-old-token").fingerprint() in said
        assert "rotated" in said
        assert "an-old-token" not in said

    def test_token_rotated_while_connected(self, redis: Proxied) -> None:
        client = redis.client()
        client.ping()
        redis.server.set_password("rotated-token")
        client.ping()  # an open connection stays authenticated
        with pytest.raises(NotAllowed):
            redis.client().ping()

    def test_no_token_at_all(self, redis: Proxied) -> None:
        with pytest.raises(NotAllowed, match="NOAUTH"):
            redis.client(token="").ping()

    def test_redis_that_wants_no_token(self, redis: Proxied) -> None:
        redis.server.set_password("")
        with pytest.raises(NotAllowed, match="asks for no token"):
            redis.client().ping()

    def test_acl_user(self, redis: Proxied) -> None:
        redis.run("ACL", "SETUSER", "reader", "on", ">" + TOKEN, "~*", "+@read", "+ping", "-scan")
        client = redis.client(username="reader")
        assert client.lengths(["a"]) == {"a": None}
        with pytest.raises(NotAllowed) as problem:
            client.scan()
        assert "SCAN" in raised(problem)
        with pytest.raises(NotAllowed, match="UNLINK"):
            client.unlink(["a"], Permit("test"))
        with pytest.raises(NotAllowed, match="reader"):
            redis.client(username="reader", token="wrong-token").ping()
        redis.run("ACL", "DELUSER", "reader")

    def test_refused(self, redis: Proxied) -> None:
        client = redis.client()
        client.ping()
        redis.fault(Refuse())
        with pytest.raises(Unreachable, match="refused") as problem:
            client.ping()
        assert "toolkit redis address" in raised(problem)
        assert problem.value.exit_code == 3
        redis.fault(None)
        client.ping()

    def test_hangs(self, redis: Proxied) -> None:
        redis.fault(Hang())
        with pytest.raises(TimedOut, match="said nothing") as problem:
            redis.client(timeout_seconds=0.2).ping()
        assert "no longer the proxy's" in raised(problem)

    def test_hangs_on_an_open_connection(self, redis: Proxied) -> None:
        client = redis.client(timeout_seconds=0.2)
        client.ping()
        redis.fault(Hang())
        with pytest.raises(TimedOut):
            client.index(INDEX)

    def test_nothing_takes_the_connection(self) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = Address("127.0.0.1", full.getsockname()[1], "test")
            waiting = []
            for _ in range(4):  # fill the queue of connections that nobody takes
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex((address.host, address.port))
                waiting.append(one)
            client = RedisProxy(model.Redis(timeout_seconds=0.2), address, Secret("the-app-token-71"))
            with pytest.raises(TimedOut, match="Nothing takes a connection") as problem:
                client.ping()
            assert "toolkit redis address" in raised(problem)
            client.close()
            for one in waiting:
                one.close()

    def test_dropped_in_the_middle_of_a_reply(self, redis: Proxied) -> None:
        redis.run("SET", "value", b"x" * 1_000_000)
        redis.fault(Cut(100_000))
        with pytest.raises(Unreachable, match="dropped the connection while reading 'value'") as problem:
            redis.client().get_range("value", 0, 1_000_000)
        raised(problem)

    def test_read_survives_one_drop(self, redis: Proxied) -> None:
        redis.run("SET", "value", b"x" * 1_000_000)
        client = redis.client()
        redis.fault(Cut(100_000))
        timer = threading.Timer(0.03, lambda: redis.fault(None))
        timer.start()
        assert len(client.get_range("value", 0, 1_000_000)) == 1_000_000
        timer.join()

    def test_change_is_sent_once_and_says_that_it_may_have_been_carried_out(
        self, redis: Proxied, permit: Permit
    ) -> None:
        redis.run("SET", "counted", "")
        client = redis.client()
        client.ping()
        redis.fault(Cut(0))
        with pytest.raises(Unreachable, match="dropped") as problem:
            client.set_members(INDEX, {"a": 1.0}, permit)
        assert "not known" in raised(problem)
        redis.fault(None)

    def test_change_that_never_left_is_not_said_to_be_in_doubt(self, redis: Proxied, permit: Permit) -> None:
        redis.fault(Refuse())
        with pytest.raises(Unreachable) as problem:
            redis.client().flush(permit)
        assert "not known" not in raised(problem)

    def test_slow_but_well(self, redis: Proxied) -> None:
        redis.fault(Delay(0.05))
        assert redis.client(timeout_seconds=0.5).index(INDEX) == []

    def test_moved(self, redis: Proxied) -> None:
        client = redis.client()
        client.ping()
        redis.move()
        with pytest.raises(Unreachable):
            client.ping()
        redis.client().ping()

    def test_command_that_is_switched_off(self, redis: Proxied, permit: Permit) -> None:
        redis.run("ACL", "SETUSER", "noflush", "on", ">" + TOKEN, "~*", "+@all", "-flushall")
        with pytest.raises(NotAllowed, match="FLUSHALL"):
            redis.client(username="noflush").flush(permit)
        redis.run("ACL", "DELUSER", "noflush")

    def test_unknown_command(self, redis: Proxied) -> None:
        with pytest.raises(NotAllowed, match="does not know the command FLUSHALLL") as problem:
            redis.client().command(["FLUSHALLL"])
        raised(problem)

    def test_full(self, redis: Proxied, permit: Permit) -> None:
        redis.run("CONFIG", "SET", "maxmemory", "1mb")
        try:
            with pytest.raises(Failed, match="OOM") as problem:
                redis.client().set_value("frame", [b"x" * 2_000_000], permit)
            assert "Make room" in raised(problem)
        finally:
            redis.run("CONFIG", "SET", "maxmemory", "1gb")
        assert redis.client().scan() == []

    def test_replica(self, redis: Proxied, permit: Permit) -> None:
        redis.run("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(Failed, match="READONLY") as problem:
                redis.client().set_members(INDEX, {"a": 1.0}, permit)
            assert "primary" in raised(problem)
        finally:
            redis.run("REPLICAOF", "NO", "ONE")

    @pytest.mark.parametrize(
        ("reply", "error", "words"),
        [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", Unreachable, "does not speak as a Redis"),
            (b"-LOADING Redis is loading the dataset in memory\r\n", Unreachable, "still loading"),
            (b"-MOVED 3999 10.0.0.9:6381\r\n", Unreachable, "node of a cluster"),
            (b"-CLUSTERDOWN The cluster is down\r\n", Unreachable, "cluster"),
            (b"-ERR max number of clients reached\r\n", Unreachable, "as many clients as it takes"),
            (
                b"-ERR unknown command 'PING', with args beginning with: \r\n",
                NotAllowed,
                "does not know the command PING",
            ),
            (b"-ERR something new\r\n", Failed, "something new"),
            (b"+OK\r\n-and more than was asked for\r\n", Unreachable, "cannot be reached"),
            (b"\x15\x03\x01\x00\x02\x02F", Unreachable, "Redis"),
        ],
    )
    def test_what_other_servers_say(self, reply: bytes, error: type[ToolkitError], words: str) -> None:
        with answering(reply) as address:
            client = RedisProxy(model.Redis(timeout_seconds=1.0), address, Secret("the-right-token"))
            with pytest.raises(error, match=words) as problem:
                client.ping()
            client.close()
        assert problem.value.message.endswith(".")

    def test_tls_to_a_plain_port(self, redis: Proxied) -> None:
        with pytest.raises(Unreachable, match="TLS") as problem:
            redis.client(tls=True).ping()
        assert "does this port speak TLS" in raised(problem)

    def test_ca_file_that_is_not_there(self, redis: Proxied) -> None:
        with pytest.raises(ConfigurationError, match="ca_file"):
            redis.client(tls=True, ca_file="/none.pem").ping()

    def test_unknown_host(self) -> None:
        client = RedisProxy(model.Redis(), Address("no-such-host.invalid", 6379, "test"), Secret("the-app-token-71"))
        with pytest.raises(Unreachable, match="cannot be resolved"):
            client.ping()
        client.close()


class TestProbe:
    def test_redis(self, redis: Proxied) -> None:
        answer = probe(redis.address, redis.part())
        assert answer.redis
        assert answer.tcp

    def test_hang_and_refusal(self, redis: Proxied) -> None:
        redis.fault(Hang())
        answer = probe(redis.address, redis.part(timeout_seconds=0.1))
        assert answer.tcp
        assert not answer.redis
        assert "says nothing" in answer.words
        redis.fault(Refuse())
        assert "refuses" in probe(redis.address, redis.part()).words

    def test_something_else(self) -> None:
        with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
            assert probe(address, model.Redis()).words == "answers, but not as a Redis"


class answering:  # noqa: N801  reads as a phrase
    """A server that says `reply` to whoever connects and speaks."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(self.reply)
                connection.settimeout(1)
                try:
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass

    def __enter__(self) -> Address:
        self.thread.start()
        return Address(*self.socket.getsockname(), "test")

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
