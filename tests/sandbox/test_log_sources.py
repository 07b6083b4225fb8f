"""Loki and Cloud Logging as sources: pages, and following over every end that a session can have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from logs_fixtures import (
    FILTER,
    OTHER,
    POD,
    SECOND,
    SELECTOR,
    LogServers,
    Remembering,
    _servers,
    servers,
    until,
)

from toolkit.errors import Interrupted, NotAllowed, Unreachable
from toolkit.logs.cloud_logging import CloudLoggingSource
from toolkit.logs.entry import Kind, Notice, Severity
from toolkit.logs.loki import LokiSource
from toolkit.logs.resuming import Remembered
from toolkit.logs.source import Window
from toolkit.progress import SILENT, Progress

__all__ = ["_servers", "servers"]
BOTH = ("loki", "cloud-logging")


@contextmanager
def followed(
    servers: LogServers, source: LokiSource | CloudLoggingSource, kind: str, sink: Remembering
) -> Iterator[threading.Event]:
    """The source is followed in a thread, from now on; what it raises is raised at the end."""
    stop, problems = threading.Event(), []

    def follow(since: int) -> None:
        try:
            source.follow(since, sink, stop)
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=follow, args=(time.time_ns(),))
    thread.start()
    until(lambda: servers.tails(kind) > 0 or bool(problems))
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
    if problems:
        raise problems[0]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("most", [7, 10, 100])
def test_loki_gives_every_line_once_over_borders_of_pages_at_equal_times(
    servers: LogServers, most: int, *, backward: bool
) -> None:
    now = time.time_ns() - 60 * SECOND
    for at in range(20):
        servers.ship([f"{at}-{number}" for number in range(at % 7)], now + at)
        servers.ship([f"{at}-other"], now + at, OTHER)
    asked = servers.loki().entries(SELECTOR, now, backward=backward, most=most)
    pages = [[entry for chunk in page.chunks for entry in chunk.entries] for page in asked]
    texts = [entry.text for page in pages for entry in page]
    assert len(texts) == len(set(texts)) == sum(at % 7 for at in range(20)) + 20
    for before, after in pairwise(page for page in (pages[::-1] if backward else pages) if page):
        assert max(entry.time for entry in before) <= min(entry.time for entry in after)


def test_more_lines_at_one_nanosecond_than_loki_gives_are_a_gap(servers: LogServers) -> None:
    servers.loki_server.faults.most_entries = 10  # a Loki with a lower limit than the usual one
    now = time.time_ns() - 60 * SECOND
    servers.ship([str(number) for number in range(25)], now)
    servers.ship(["after"], now + 1)
    found = [*servers.source("loki").past(Window(now, now + SECOND), SILENT)]
    gaps = [one for one in found if isinstance(one, Notice)]
    assert [gap.kind for gap in gaps] == [Kind.GAP]
    assert [one.text for one in found if not isinstance(one, Notice)][-1] == "after"


def test_a_line_knows_where_it_comes_from_and_what_google_knows_of_it(servers: LogServers) -> None:
    now = time.time_ns() - 60 * SECOND
    servers.ship(['{"severity":"ERROR","message":"broken","x":{"y":1}}', "plain"], now)
    window = Window(now, now + 1)
    first, second = [one for one in servers.source("cloud-logging").past(window, SILENT) if not isinstance(one, Notice)]
    assert first.text == '{"message":"broken","x":{"y":1}}'
    assert first.known is not None
    assert (first.known.severity, first.known.fields["x"]) == (Severity.ERROR, {"y": 1})
    assert first.known.id
    assert (second.text, second.known.severity if second.known else "") == ("plain", None)
    (line, _) = [one for one in servers.source("loki").past(window, SILENT) if not isinstance(one, Notice)]
    assert line.stream.origin == second.stream.origin == "prod-cluster/rp006-neuro/pod-x/main"
    assert (line.time, line.stream.pod) == (now, "pod-x")


@pytest.mark.parametrize("kind", BOTH)
def test_nothing_is_lost_or_doubled_over_the_ends_of_sessions(servers: LogServers, kind: str) -> None:
    faults, sink, texts = servers.faults(kind), Remembering(), []
    setattr(faults, "close_tail_after" if kind == "loki" else "tail_limit", 0.2)
    source = servers.source(kind)
    source.settle = 0.1
    with followed(servers, source, kind, sink):

        def write_until(again: int) -> None:
            """Write on until the source went on so many times."""
            while len(sink.said(Kind.AGAIN)) < again:
                batch = [f"{len(texts)}-{one}" for one in range(5)]
                servers.ship(batch, None, POD if len(texts) % 2 else OTHER)
                texts.extend(batch)
                time.sleep(0.01)

        write_until(again=1)
        faults.__init__()
        faults.cut_tail_after = 4  # the next sessions are cut, in the midst of what they bring
        write_until(again=2)
        faults.cut_tail_after = None
        until(lambda: len(sink.got) >= len(texts))
    assert sorted(sink.texts) == sorted(texts)


def test_lines_that_loki_drops_are_said_and_fetched(servers: LogServers) -> None:
    sink = Remembering()
    with followed(servers, servers.source("loki"), "loki", sink):
        servers.ship(["first"])
        until(lambda: sink.texts == ["first"])
        servers.loki_server.faults.drop = 3
        servers.ship([str(number) for number in range(5)])
        until(lambda: bool(sink.said(Kind.SUPPRESSED)))
        until(lambda: len(sink.got) == 6)
    assert sorted(sink.texts[1:]) == ["0", "1", "2", "3", "4"]
    assert "left 3 lines out" in sink.said(Kind.SUPPRESSED)[0]


def test_entries_that_google_suppresses_are_counted(servers: LogServers) -> None:
    sink, source = Remembering(), servers.source("cloud-logging")
    source.settle = 60.0
    with followed(servers, source, "cloud-logging", sink):
        servers.ship(["first"])
        until(lambda: sink.texts == ["first"])
        servers.cloud_server.faults.suppress = 3
        servers.ship([str(number) for number in range(5)])
        until(lambda: bool(sink.said(Kind.SUPPRESSED)))
    assert [notice.count for notice in sink.notices if notice.kind == Kind.SUPPRESSED] == [3]


@pytest.mark.parametrize("kind", BOTH)
def test_a_stream_that_is_dead_without_a_word_is_found_out(servers: LogServers, kind: str) -> None:
    servers.faults(kind).mute_tails = True
    sink, source = Remembering(), servers.source(kind)
    source.quiet = source.settle = 0.3
    with followed(servers, source, kind, sink):
        servers.ship(["unheard"])
        until(lambda: sink.texts == ["unheard"])
        until(lambda: bool(sink.said(Kind.QUIET)))
    assert sink.heard


@pytest.mark.parametrize("kind", BOTH)
def test_a_server_that_asks_for_patience_gets_it(servers: LogServers, kind: str) -> None:
    servers.ship(["a line"], time.time_ns() - 60 * SECOND)
    if kind == "loki":
        servers.loki_server.faults.too_many, servers.loki_server.faults.retry_after = 3, 0.01
    else:
        servers.cloud_server.faults.status, servers.cloud_server.faults.times = "RESOURCE_EXHAUSTED", 1
    window = Window(time.time_ns() - 120 * SECOND)
    assert [one.text for one in servers.source(kind).past(window, SILENT)] == ["a line"]


@pytest.mark.parametrize("kind", BOTH)
def test_a_stop_ends_a_question_that_nobody_answers(servers: LogServers, kind: str) -> None:
    servers.faults(kind).hang = True
    progress = Progress()
    threading.Timer(0.1, progress.stop.set).start()
    with pytest.raises(Interrupted):
        list(servers.source(kind).past(Window(time.time_ns() - SECOND), progress))
    servers.faults(kind).hang = False


@pytest.mark.parametrize("kind", BOTH)
def test_what_never_worked_is_not_tried_for_ever(servers: LogServers, kind: str) -> None:
    servers.loki_server.faults.refuse = True
    servers.cloud_server.faults.status = "UNAVAILABLE"
    with pytest.raises(Unreachable):
        servers.source(kind).follow(time.time_ns(), Remembering(), threading.Event())


def test_refusals_say_what_is_missing_and_show_no_secret(servers: LogServers) -> None:
    with pytest.raises(Exception, match="parse error at line 1, col 7") as wrong:
        list(servers.loki().entries('{a="b"', time.time_ns()))
    assert 'LOKI_BEARER_TOKEN="$(vault kv get' in wrong.value.by_hand[0]
    assert "logcli query" in wrong.value.by_hand[0]
    with pytest.raises(NotAllowed, match="tenant other"):
        list(servers.loki(tenant="other").entries(SELECTOR, time.time_ns()))
    with pytest.raises(NotAllowed, match="no org id"):
        servers.loki(tenant="").tail(SELECTOR, time.time_ns())
    servers.loki_server.faults.html, servers.loki_server.faults.status = True, 502
    with pytest.raises(Unreachable, match="a gateway stands before it"):
        list(servers.loki().entries(SELECTOR, time.time_ns()))
    with pytest.raises(Exception, match="syntax error at line 1, column 1, Field not found: 'nope'"):
        list(servers.cloud_logging().entries("nope=1"))
    servers.cloud_server.faults.status = "PERMISSION_DENIED"
    servers.cloud_server.faults.details = "Permission 'logging.views.access' denied on resource (or it may not exist)."
    with pytest.raises(NotAllowed, match=r"you have not logging\.views\.access") as denied:
        list(servers.cloud_logging().entries(FILTER))
    assert "gcloud logging read" in denied.value.by_hand[1]
    servers.cloud_server.faults.status = "UNAUTHENTICATED"
    with pytest.raises(NotAllowed, match="does not know who you are") as unknown:
        list(servers.cloud_logging().entries(FILTER))
    assert unknown.value.by_hand[0] == "gcloud auth application-default login"


def test_a_page_token_leads_on_where_times_are_equal(servers: LogServers) -> None:
    now = time.time_ns() - 60 * SECOND
    servers.ship([str(number) for number in range(25)], now)
    until(lambda: len(next(servers.cloud_logging().entries(FILTER, now))) == 25)
    pages = [*servers.cloud_logging(filter="severity>=DEFAULT -- all").entries(FILTER, now, now + 1, page=10)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert len({entry.insert_id for page in pages for entry in page}) == 25


def test_what_is_remembered_is_bounded_and_says_how_far_back_it_reaches() -> None:
    remembered = Remembered(most=3)
    assert [remembered.is_new(key, key * 10) for key in (1, 2, 2, 3, 4)] == [True, True, False, True, True]
    assert remembered.floor == 11
