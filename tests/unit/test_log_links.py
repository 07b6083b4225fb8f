"""The links' queries and times, read again as the browser's side reads them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.environments import model
from toolkit.errors import ConfigurationError
from toolkit.logs.links import grafana, logs_explorer
from toolkit.logs.source import Window

PART = model.Loki(grafana="https://grafana.example.com/", datasource="P8E80F9AEF21F6940")
TIMES = st.none() | st.integers(0, 4 * 10**18)


@given(query=st.text(), since=TIMES, until=TIMES)
def test_explore_gets_the_query_and_the_whole_range(query: str, since: int | None, until: int | None) -> None:
    url = urlsplit(grafana(PART, query, Window(since, until)))
    asked = parse_qs(url.query, strict_parsing=True)
    (pane,) = json.loads(asked["panes"][0]).values()
    assert (url.netloc, url.path, asked["schemaVersion"]) == ("grafana.example.com", "/explore", ["1"])
    assert pane["queries"][0]["expr"] == query
    assert pane["datasource"] == pane["queries"][0]["datasource"]["uid"] == PART.datasource
    if since is not None:
        assert 0 <= since - int(pane["range"]["from"]) * 10**6 < 10**6
    if until is not None:
        assert 0 <= int(pane["range"]["to"]) * 10**6 - until < 10**6


@given(filter_=st.text(min_size=1), project=st.from_regex(r"[a-z][a-z0-9-]{4,20}", fullmatch=True))
def test_the_logs_explorer_gets_the_filter_and_the_project(filter_: str, project: str) -> None:
    url = logs_explorer(project, filter_, Window(10**18, 10**18 + 1))
    path, _, after = url.partition("?")
    parameters = dict(part.split("=", 1) for part in path.split(";")[1:])
    assert unquote(parameters["query"]) == filter_
    assert unquote(parameters["timeRange"]) == "2001-09-09T01:46:40.000000000Z/2001-09-09T01:46:40.000000001Z"
    assert after == f"project={project}"


def test_an_open_end_and_no_grafana() -> None:
    assert "timeRange=2001-09-09T01:46:40.000000000Z%2F?" in logs_explorer("p", "x", Window(10**18))
    with pytest.raises(ConfigurationError, match=r"logs\.loki\.grafana"):
        grafana(model.Loki(), "{}", Window())
