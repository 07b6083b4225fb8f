"""The logs of the sandbox's world: the same lines in the pods, in Loki and in Cloud Logging, and noise."""

from __future__ import annotations

import re
import time

import pytest
from conftest import Sandbox
from outside import until

from toolkit.environments import loading
from toolkit.logs.cloud_logging import CloudLoggingSource
from toolkit.logs.entry import Line, Severity
from toolkit.logs.loki import LokiSource
from toolkit.logs.source import Window
from toolkit.progress import SILENT
from toolkit.sandbox import client
from toolkit.systems.connections import Connections

WEEKS = 7 * 86_400 * 10**9


def opened(sandbox: Sandbox, name: str = "sandbox") -> Connections:
    loaded = loading.load(sandbox.home / "state" / "sandbox" / "toolkit.toml")
    return Connections(loaded.settings.environments[name], loaded.settings)


def lines(connections: Connections, query: str, since: int) -> list[Line]:
    """What a named query finds."""
    named = connections.environment.logs.queries[query]
    source: LokiSource | CloudLoggingSource = (
        LokiSource(connections.loki, named.query)
        if named.source == "loki"
        else CloudLoggingSource(connections.cloud_logging, named.query)
    )
    return [one for one in source.past(Window(since), SILENT) if isinstance(one, Line)]


@pytest.mark.parametrize("name", ["sandbox", "sandbox-mapapp"])
def test_the_named_queries_find_what_they_are_for(sandbox: Sandbox, name: str) -> None:
    connections = opened(sandbox, name)
    part, since = connections.environment.cache_manager, time.time_ns() - 9 * WEEKS
    found = {query: lines(connections, query, since) for query in connections.environment.logs.queries}
    wrote = {line.stream.pod for line in found["cache-manager"]}
    there = {pod.name for pod in connections.cluster(part.cluster).pods(part.namespace)}
    assert len(wrote - there) == 3  # of weeks whose pods are gone by now
    errors = [line.text for line in found["errors-cache-manager"]]
    assert "Traceback (most recent call last):" in errors
    assert not [text for text in errors if " INFO " in text]
    assert {line.known.severity for line in found["errors"] if line.known} == {Severity.ERROR}
    app = {line.stream.pod for line in found["app"]}
    assert len(app) == 3
    assert not app & wrote
    assert len([line for line in found["app-starts"] if "Loaded " in line.text]) == 3 * 6
    assert found["slow-requests"]
    assert found["redis-and-vault"]
    connections.close()


def test_a_new_world_has_no_line_of_the_one_before(sandbox: Sandbox) -> None:
    """Also where pods were just starting, or crashed again and again, while the world was made anew."""
    client.set_faults("new pods of sandbox", {"crash": True})
    sandbox.run("app", "restart", "--yes", "--no-wait", "--env", "sandbox")
    for _ in range(3):
        client.apply_scenario(["healthy"])
        connections = opened(sandbox)
        part = connections.environment.app
        there = {pod.name for pod in connections.cluster(part.cluster).pods(part.namespace)}
        assert {line.stream.pod for line in lines(connections, "app", time.time_ns() - WEEKS)} == there
        connections.close()
        client.set_faults("new pods of sandbox", {"crash": True})
        sandbox.run("app", "restart", "--yes", "--no-wait", "--env", "sandbox")
        time.sleep(1)


def test_noise_is_in_loki_and_in_cloud_logging_over_a_pod_that_is_replaced(sandbox: Sandbox) -> None:
    connections = opened(sandbox)
    since = time.time_ns()
    assert len(sandbox.run("sandbox", "noise", "--rate", "300", "--seconds", "2", "-o", "json").json()["pods"]) == 3
    client.set_faults("app of sandbox", {"replace_pod": {}})
    everything = CloudLoggingSource(connections.cloud_logging, '"noise-"')
    app = LokiSource(connections.loki, connections.environment.logs.queries["app"].query)

    def numbers(source: LokiSource | CloudLoggingSource) -> set[int]:
        texts = [one.text for one in source.past(Window(since), SILENT) if isinstance(one, Line)]
        return {int(found[1]) for found in map(re.compile(r"noise-(\d+)").search, texts) if found}

    until(lambda: len(numbers(app)) > 500 and numbers(app) == numbers(everything), "all of the noise is there")
    assert numbers(app) == set(range(len(numbers(app))))
    pods = {one.stream.pod for one in app.past(Window(since), SILENT) if isinstance(one, Line)}
    assert len(pods) == 4  # the one that went, too
    connections.close()
