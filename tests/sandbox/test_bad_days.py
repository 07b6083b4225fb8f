"""Bad days, as typed at the command line: the message names what failed and the next step, the exit code is right,
there is no traceback, and what was there before is there afterwards."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from conftest import Sandbox

from toolkit.actions.journal import Journal
from toolkit.environments import loading
from toolkit.sandbox import client

E = ("--env", "sandbox")
PROXY = "redis proxy of sandbox"
CLUSTER = "cluster prod-cluster"


@pytest.mark.parametrize(
    ("scenario", "words", "code", "said"),
    [
        ("vault-sealed", ("redis", "token"), 3, "sealed"),
        ("vault-sealed", ("doctor",), 1, "First broken hop: vault"),
        ("token-rotated", ("groups", "flush", "--dry-run"), 4, "does not take the token"),
        ("token-rotated", ("doctor",), 1, "First broken hop: redis"),
        ("token-rotated", ("groups", "show", "any"), 4, "does not take the token"),
        ("proxy-moved", ("redis", "address"), 0, "Write redis.address"),
        ("proxy-moved", ("groups", "list"), 0, "rp006"),
        ("wrong-cluster", ("cache", "status"), 1, "it is in cluster rp006-prod"),
        ("wrong-cluster", ("cache", "rebuild", "--yes"), 5, "it is in cluster rp006-prod"),
        ("wrong-cluster", ("doctor",), 1, "First broken hop: cache-manager"),
        ("rebuild-running", ("cache", "rebuild", "--yes"), 5, "running"),
        ("redis-flushed", ("groups", "list"), 0, "available-groups is empty"),
    ],
)
def test_a_scenario_at_the_command_line(
    sandbox: Sandbox, scenario: str, words: tuple[str, ...], code: int, said: str
) -> None:
    sandbox.scenario(scenario)
    ran = sandbox.run(*words, *E, code=code)
    assert said in ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("system", "fault", "words", "code", "said"),
    [
        (PROXY, {"hang": {}}, ("groups", "flush", "--dry-run"), 3, "127.77.0.1"),
        (PROXY, {"cut": {"after": 3}}, ("groups", "flush", "--dry-run"), 3, "127.77.0.1"),
        (CLUSTER, {"refuse": True}, ("cache", "status"), 3, "prod-cluster"),
        (CLUSTER, {"status": 401}, ("cache", "status"), 4, "credential"),
        (CLUSTER, {"html": True}, ("cache", "status"), 3, "instead of Kubernetes"),
        ("storage", {"failing": [503] * 60}, ("bucket", "ls"), 3, "503"),
        ("storage", {"failing": [429] * 60}, ("bucket", "ls"), 3, "429"),
    ],
)
def test_a_fault_at_the_command_line(
    sandbox: Sandbox, system: str, fault: dict[str, Any], words: tuple[str, ...], code: int, said: str
) -> None:
    client.set_faults(system, fault)
    ran = sandbox.run(*words, *E, code=code)
    assert said in ran.err
    assert "next:" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("system", "fault", "hop", "said"),
    [
        ("argo cd", {"refuse": True}, "argocd", "Argo CD"),
        ("argo cd", {"denied": True}, "argocd", "permission denied"),
        ("argo cd", {"nonsense": True}, "argocd", "Argo CD"),
        ("okta", {"revoked": True}, "okta", "token"),
        ("okta", {"status": 500}, "okta", "in trouble"),
        ("loki", {"html": True}, "loki", "Loki"),
        ("loki", {"status": 503}, "loki", "503"),
        ("cloud logging", {"status": "PERMISSION_DENIED"}, "cloud-logging", "Logging"),
    ],
)
def test_the_doctor_names_a_broken_system_around_the_cache(
    sandbox: Sandbox, system: str, fault: dict[str, Any], hop: str, said: str
) -> None:
    client.set_faults(system, fault)
    ran = sandbox.run("doctor", *E, "-o", "json", code=1).json()
    assert ran["first_broken"] == hop
    (found,) = [one for one in ran["hops"] if one["status"] in ("fail", "unknown")]
    assert said in found["summary"] + found["hint"]
    assert found["hint"]


def test_one_layer_that_is_down_does_not_hide_the_other(sandbox: Sandbox) -> None:
    sandbox.scenario("token-rotated")
    ran = sandbox.run("groups", "list", *E, "-o", "json", code=None)
    assert all(item["l3"]["present"] for item in ran.json())
    assert len(ran.json()) == 5


def test_a_bucket_that_is_not_there(sandbox: Sandbox) -> None:
    before = client.start().config_file.read_text("utf-8")
    file = client.start().config_file
    try:
        file.write_text(before.replace('"sandbox-rp006-neuro-cache"', '"not-there"'), "utf-8")
        ran = sandbox.run("bucket", "ls", *E, code=1)
        assert "not-there" in ran.err
        assert "bucket.name" in ran.err
    finally:
        file.write_text(before, "utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("groups", "list", "--env", "nowhere"), "No environment is called 'nowhere'"),
        (("groups", "list", "--env", "sandbx"), "Did you mean 'sandbox'?"),
        (("groups", "list", "-o", "yaml", *E), "yaml"),
        (("groups", "lst"), "list"),
        (("grops",), "groups"),
    ],
)
def test_what_was_typed_wrongly(sandbox: Sandbox, words: tuple[str, ...], said: str) -> None:
    ran = sandbox.run(*words, code=2)
    assert said in ran.err
    assert ran.out == ""


def test_real_environments_need_to_be_named_where_there_are_several(sandbox: Sandbox, monkeypatch: Any) -> None:
    from toolkit import paths

    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[environments.rp006]\n[environments.mapapp]\n", "utf-8")
    try:
        ran = sandbox.run("groups", "list", code=2)
        assert "say which" in ran.err
        assert "rp006" in ran.err
        ran = sandbox.run("redis", "token", "--env", "rp006", code=2)
        assert "vault.address" in ran.err
    finally:
        file.unlink()
    assert loading.load().configured == ()


def test_killed_in_the_middle_of_an_action_the_next_start_says_so(sandbox: Sandbox) -> None:
    command = [sys.executable, "-m", "toolkit", "cache", "rebuild", *E, "--yes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "Made Job" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.stderr.close()
    process.wait()
    (left,) = Journal().unfinished()
    assert left.action == "cache.rebuild"
    ran = sandbox.run("groups", "list", *E)
    assert "was cut off before its end" in ran.err
    assert left.operation in ran.err
    sandbox.run("journal", "settle", left.operation)
    assert "cut off" not in sandbox.run("groups", "list", *E).err
    assert sandbox.run("journal", "verify").code == 0
    _wait_for_the_job(sandbox)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_waiting_in_an_orderly_way(sandbox: Sandbox, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "toolkit", "cache", "rebuild", *E, "--yes"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if "Made Job" in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "partial" in out
    assert "Traceback" not in err
    assert Journal().operations()[-1].result == "partial"
    assert not Journal().unfinished()
    _wait_for_the_job(sandbox)


def test_a_closed_pipe_is_no_error(sandbox: Sandbox) -> None:
    command = f"{sys.executable} -m toolkit env list --output jsonl | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def _wait_for_the_job(sandbox: Sandbox) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        runs = sandbox.run("cache", "history", *E, "-o", "json").json()
        if all(run["state"] in ("complete", "failed") for run in runs):
            return
        time.sleep(0.3)
    raise AssertionError("the job did not end")


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, b"Interrupted."), (signal.SIGTERM, -signal.SIGTERM, b"")]
)
def test_a_signal_at_the_question_ends_the_command_and_changes_nothing(
    sandbox: Sandbox, number: signal.Signals, code: int, said: bytes
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "toolkit", "groups", "flush", *E]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    while b"Type 'sandbox'" not in shown:
        shown += os.read(ours, 65536)
    for _ in range(20):  # a signal that comes just before the terminal is read from is noticed at the next one
        process.send_signal(number)
        end = time.monotonic() + 2
        while process.poll() is None and time.monotonic() < end:
            if select.select([ours], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    shown += os.read(ours, 65536)
        if process.poll() is not None:
            break
    assert process.wait(timeout=30) == code
    while select.select([ours], [], [], 0)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:
            break
    assert said in shown
    os.close(ours)
    assert sandbox.run("groups", "list", *E, "-o", "json").json()[0]["l2"]["present"]
