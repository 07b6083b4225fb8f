"""Every group of a bucket is searched, in threads and on the two workers of a dask cluster, with the same answer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bucket_fixtures import NAME, part
from test_groups_find import COMPOUNDS, GENES, frame

from toolkit.cache.search import all_time
from toolkit.cache.search.all_time import Estimate
from toolkit.cache.search.find import Answers, find
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, Interrupted, ToolkitError, Unreachable, UsageError
from toolkit.progress import Advanced, Event, Progress
from toolkit.sandbox.storage.api import StorageServer
from toolkit.systems import dask_cluster
from toolkit.systems.connections import Connections
from toolkit.systems.dask_cluster import DaskCluster

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")
GROUPS = 24
QUERIES = ("BRCA1", "brca-1", "BRAC1", "REC-0000123 at 3", "REC-0000123 at 3.3", "REC-124", "only here", "nobody")


@pytest.fixture(scope="module")
def storage() -> Iterator[StorageServer]:
    """A few dozen small groups: of some only genes, one with a torn frame, one with a name that steers terminals."""
    server = StorageServer()
    server.start()
    server.add_bucket(NAME, "rp006-prod")
    for number in range(GROUPS):
        server.put(NAME, f"group-{number:02}/genes.parquet", GENES)
        if number % 3 == 0:
            server.put(NAME, f"group-{number:02}/compounds.parquet", COMPOUNDS)
    server.put(NAME, "group-05/genes.parquet", GENES[:-100])
    server.put(NAME, "group-07/genes.parquet", frame([("Only Here", None), ("brca1", None), ("REC 124", None)]))
    server.put(NAME, "odd\x1b[31m/genes.parquet", GENES)
    server.put(NAME, "README", b"no frame")
    yield server
    server.stop()


@pytest.fixture
def connections(storage: StorageServer) -> Iterator[Connections]:
    connections = Connections(model.Environment(name="test", bucket=part(storage)), model.Settings())
    yield connections
    connections.close()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from distributed import LocalCluster

    homes = str(tmp_path_factory.mktemp("workers"))
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=homes,
        env={"TOOLKIT_HOME": homes},
        silence_logs=60,
    ) as cluster:
        yield cluster


@pytest.fixture
def cluster(local: Any) -> Iterator[DaskCluster]:
    with dask_cluster.connected(local.scheduler_address) as cluster:
        yield cluster


def bare(answers: Answers) -> list[object]:
    """What was found, whatever was read for it."""
    return [replace(found, bytes_read=0, frames_read=0) for found in answers.found]


def after_one_group(do: Any) -> Progress:
    """A Progress that calls `do` once, when the first group has been searched."""
    waiting = [do]

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.unit == "groups" and waiting:
            waiting.pop()()

    return Progress(tell)


def test_same_answer_as_all_at_once_from_threads_and_from_two_workers(
    connections: Connections, cluster: DaskCluster
) -> None:
    at_once = find(connections, QUERIES)
    in_threads = all_time.find(connections, QUERIES)
    there = all_time.find(connections, QUERIES, cluster=cluster)
    assert in_threads.found == at_once.found
    assert there.found == at_once.found
    assert there.problems == in_threads.problems == ()
    first = there.found[0]
    assert len(first.groups) == GROUPS + 1
    assert [(one.group, one.frame) for one in first.unreadable] == [("group-05", "genes")]
    assert "odd\\x1b[31m" in first.groups
    assert 0 < first.bytes_read <= first.bytes_total
    again = all_time.find(connections, QUERIES)
    assert bare(again) == bare(in_threads)
    assert again.found[0].frames_read == 1  # the torn one


def test_what_kills_its_workers_is_named_and_the_rest_is_done(cluster: DaskCluster, local: Any) -> None:
    before = local.scheduler.allowed_failures
    local.scheduler.allowed_failures = 0
    try:
        outcomes = dict(cluster.map(_fatal_at_three, [1, 2, 3, 4, 5]))
    finally:
        local.scheduler.allowed_failures = before
    lost = {item for item, outcome in outcomes.items() if isinstance(outcome, ToolkitError)}
    assert 3 in lost
    assert len(lost) <= 2  # and what its worker had begun besides
    assert "were lost" in str(outcomes[3])


def _fatal_at_three(number: int) -> int:
    if number == 3:
        os._exit(1)
    return number


def test_stopped_in_mid_way(connections: Connections, cluster: DaskCluster, local: Any) -> None:
    progress = Progress()
    told = after_one_group(progress.stop.set)
    with pytest.raises(Interrupted):
        all_time.find(connections, QUERIES, Progress(told.tell, progress.stop), cluster=cluster)
    with dask_cluster.connected(local.scheduler_address) as other:  # nothing of it is left in the queue
        assert dict(other.map(abs, [-1])) == {-1: 1}


def test_group_that_cannot_be_searched_is_named(
    connections: Connections, cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_time, "__version__", "99.0")  # here, not on the workers
    answers = all_time.find(connections, ["BRCA1"], cluster=cluster)
    (problem,) = answers.problems
    assert isinstance(problem, ConfigurationError)
    assert f"{GROUPS + 1} of {GROUPS + 1} groups could not be searched" in problem.message
    assert "the one that asks is 99.0" in problem.message
    assert len(answers.found[0].unreadable) == answers.found[0].frames


def test_other_version_is_said_before_anything_is_sent(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_own_version", lambda: "99.0")
    with pytest.raises(ConfigurationError, match=r"on \d of the workers.*here 99\.0"):
        cluster.check_version()


def test_workers_that_may_not_read_the_bucket(connections: Connections, cluster: DaskCluster) -> None:
    elsewhere = model.Environment(name="test", bucket=model.Bucket(name="not-there", endpoint=part_url(connections)))
    with pytest.raises(ToolkitError, match=r"On the worker tcp://.*not-there"):
        cluster.on_each(all_time.ready_there, elsewhere)


def part_url(connections: Connections) -> str:
    return connections.environment.bucket.endpoint


def test_estimate(connections: Connections) -> None:
    told: list[Estimate] = []
    units, estimate = all_time.estimate(connections)
    assert (len(units), estimate.sampled, estimate.groups) == (GROUPS + 1, 4, GROUPS - 3)
    assert 0 < estimate.bytes <= estimate.bytes_total
    all_time.find(connections, ["BRCA1"], told=told.append)
    assert [(one.sampled, one.groups) for one in told] == [(4, GROUPS - 7)]
    _, nothing = all_time.estimate(connections)
    assert nothing.groups == 0


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no scheduler's address"), dask_cluster.connected("somewhere"):
        pass
    monkeypatch.setattr(dask_cluster, "_CONNECT_SECONDS", 0.3)
    with (
        pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 cannot be reached"),
        dask_cluster.connected("tcp://127.0.0.1:1"),
    ):
        pass


def test_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="no SLURM on this machine"), dask_cluster.on_slurm(model.Slurm()):
        pass
    sbatch = tmp_path / "sbatch"
    sbatch.write_text(f"#!/bin/sh\n/bin/cat \"$1\" > {tmp_path}/job\necho 'sbatch: error: nope' >&2\nexit 1\n")
    sbatch.chmod(0o755)
    interrupt = signal.getsignal(signal.SIGINT)
    part = model.Slurm(partition="cpu", cores=2, memory="4GB", walltime="00:20:00")
    with pytest.raises(Failed, match="did not take the jobs: sbatch: error: nope"), dask_cluster.on_slurm(part):
        pass
    job = (tmp_path / "job").read_text()
    assert "#SBATCH -p cpu" in job
    assert "#SBATCH -t 00:20:00" in job
    assert "--nworkers 2" in job
    assert "--tls-key" in job
    assert signal.getsignal(signal.SIGINT) is interrupt  # Ctrl-C is still ours
    assert not [*(tmp_path / "home" / "state" / "slurm").glob("certificate-*")]


class TestCommand:
    def test_table_says_what_it_does_not_list(
        self, storage: StorageServer, home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("toolkit.cli.groups_find._MOST_ROWS", 2)
        monkeypatch.setenv("TOOLKIT_HOME", str(home))
        configured = f'[environments.test.bucket]\nname = "{NAME}"\nendpoint = "{storage.url}"\n'
        Path("toolkit.toml").write_text(configured)
        on = ("--env", "test", "--all-time")
        ran = sandbox.run("groups", "find", "REC-0000123", *on)
        assert "in 8 of 25 groups" in ran.out
        assert sum(line.startswith("group-") for line in ran.out.splitlines()) == 2
        assert "in 6 more groups (--all lists them)" in ran.out
        assert "absent from 16 more groups (--all lists them)" in ran.out
        assert "unknown in 1: not all" in ran.out
        assert "! not searched: group-05 genes in the bucket: " in ran.out
        everything = sandbox.run("groups", "find", "REC-0000123", *on, "--all").out
        assert sum(line.startswith("group-") for line in everything.splitlines()) == 24
        found = sandbox.run("groups", "find", "REC-0000123", *on, "-o", "json").json()
        assert len({one["group"] for one in found["absent_from"]}) == 17
        assert sandbox.run("groups", "find", "--estimate", *on, "-o", "json").json()["groups"] == 25

    def test_on_a_scheduler_as_here(self, sandbox: Sandbox, local: Any) -> None:
        queries = ("BRCA1", "REC-0000123", "BRAC1")
        here = sandbox.run("groups", "find", *queries, "--all-time", *ON, "-o", "json", code=1).json()
        ran = sandbox.run(
            "groups", "find", *queries, "--all-time", "--scheduler", local.scheduler_address, *ON, "-o", "json", code=1
        )
        there = ran.json()
        for found in (*here, *there):
            del found["bytes_read"], found["frames_read"]
        assert re.search(r"Searching 5 groups, .* on \d workers?", ran.err)
        assert there == here

    @pytest.mark.parametrize(
        "typed",
        [
            ("--scheduler", "tcp://x:1"),
            ("--all-time", "--group", "g"),
            ("--all-time", "--slurm", "--scheduler", "tcp://x:1"),
            ("--all-time", "--slurm-option", "jobs=2"),
            ("--all-time", "--estimate", "--slurm"),
            ("--all-time", "--slurm", "--slurm-option", "job=2"),
            ("--all-time", "--slurm", "--slurm-option", "jobs=many"),
        ],
    )
    def test_what_does_not_go_together(self, sandbox: Sandbox, typed: tuple[str, ...]) -> None:
        sandbox.run("groups", "find", "BRCA1", *typed, *ON, code=2)

    def test_without_dask(self, sandbox: Sandbox) -> None:
        program = (
            "import sys\nsys.modules['distributed'] = None\nfrom toolkit.__main__ import run\n"
            "sys.exit(run(['groups', 'find', 'BRCA1', '--all-time', '--scheduler', 'tcp://x:1', '-e', 'sandbox']))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert "pip install 'mapapp-toolkit[distributed]'" in done.stderr


def test_worker_killed_in_mid_way(connections: Connections, cluster: DaskCluster) -> None:
    (victim, *_) = {int(str(pid)) for pid in cluster._on_each(os.getpid).values()}
    told = after_one_group(lambda: os.kill(victim, signal.SIGKILL))
    assert bare(all_time.find(connections, QUERIES, told, cluster=cluster)) == bare(all_time.find(connections, QUERIES))
