"""`toolkit groups …` and `toolkit redis …` as typed, on the sandbox: output, exit codes, and each bad day of Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from redis_fixtures import needs_real_redis

from toolkit import redis_programs
from toolkit.cli import redis as redis_commands
from toolkit.environments import model
from toolkit.errors import Refused

if TYPE_CHECKING:
    from conftest import Sandbox

ON = ("--env", "sandbox")

needs_cli = pytest.mark.skipif(redis_programs.program("redis-cli") is None, reason="needs redis-cli")


def listed(sandbox: Sandbox, code: int = 0) -> dict[str, Any]:
    return {group["name"]: group for group in sandbox.run("groups", "list", *ON, "-o", "json", code=code).json()}


def default(sandbox: Sandbox) -> str:
    return next(name for name, group in listed(sandbox).items() if group["rank"] == 1)


def token(sandbox: Sandbox) -> str:
    return sandbox.run("redis", "token", "--reveal", *ON).out.strip()


class TestList:
    def test_json_is_what_scripts_rely_on(self, sandbox: Sandbox) -> None:
        groups = sandbox.run("groups", "list", *ON, "-o", "json").json()
        assert [group["rank"] for group in groups] == [1, 2, 3, None, None]
        for group in groups:
            assert {"name", "rank", "built_at", "l2", "l3"} <= group.keys()
            for layer in ("l2", "l3"):
                assert {"present", "frames", "bytes"} <= group[layer].keys()
        first = groups[0]
        assert datetime.fromisoformat(first["built_at"]).tzinfo is not None
        assert first["l2"]["present"] is True
        assert first["l2"]["frames"] == first["l3"]["frames"] == 8
        assert first["l2"]["bytes"] > 100_000
        assert groups[-1]["built_at"] is None
        assert groups[-1]["l2"] == {**groups[-1]["l2"], "present": False, "frames": 0, "bytes": 0}

    def test_table_marks_the_default_group(self, sandbox: Sandbox) -> None:
        ran = sandbox.run("groups", "list", *ON)
        first = next(line for line in ran.out.splitlines() if " 1*" in line)
        assert default(sandbox) in first
        assert "8/8" in first
        assert "the app's default group" in ran.err

    def test_plain_is_for_cut_and_awk(self, sandbox: Sandbox) -> None:
        rows = [line.split("\t") for line in sandbox.run("groups", "list", *ON, "-o", "plain").out.splitlines()]
        assert rows[0][0] == "1"
        assert rows[0][3] == "8"
        assert rows[0][4].isdigit()
        assert {len(row) for row in rows} == {7}

    def test_show(self, sandbox: Sandbox) -> None:
        name = default(sandbox)
        group = sandbox.run("groups", "show", name, *ON, "-o", "json").json()
        assert group["name"] == name
        assert len(group["frames"]) == 8
        assert {"name", "l2_bytes", "l3_bytes", "generation", "updated"} == group["frames"][0].keys()
        assert name in sandbox.run("groups", "show", name, *ON).out

    def test_show_of_nobody(self, sandbox: Sandbox) -> None:
        name = default(sandbox)
        ran = sandbox.run("groups", "show", name + "x", *ON, code=1)
        assert f"Did you mean {name!r}?" in ran.err


class TestChanges:
    def test_dry_run_is_a_document_and_changes_nothing(self, sandbox: Sandbox) -> None:
        before = listed(sandbox)
        name = default(sandbox)
        plan = sandbox.run("groups", "delete", name, *ON, "--dry-run", "-o", "json").json()
        assert {"plan", "environment", "action", "changes", "undo", "by_hand", "expires_at"} <= plan.keys()
        assert plan["action"] == "groups.delete"
        assert [change["target"] for change in plan["changes"]] == [name]
        assert sandbox.run("groups", "flush", *ON, "--dry-run", "-o", "json").json()["action"] == "groups.flush"
        assert listed(sandbox) == before

    def test_delete_and_restore(self, sandbox: Sandbox, tmp_path: Path) -> None:
        before = listed(sandbox)
        name = default(sandbox)
        ran = sandbox.run("groups", "delete", name, *ON, "--yes", "--backup", str(tmp_path / "saved"), "-o", "json")
        assert ran.json()["result"] == "done"
        undo = ran.json()["undo"][0]
        assert undo == f"toolkit groups restore {tmp_path / 'saved'} --env sandbox"
        assert listed(sandbox)[name]["l2"]["present"] is False
        assert default(sandbox) != name
        sandbox.run(*undo.split()[1:], "--yes")
        assert listed(sandbox) == before

    def test_flush_with_the_plan_of_a_dry_run(self, sandbox: Sandbox, tmp_path: Path) -> None:
        backup = ("--backup", str(tmp_path / "saved"))
        before = listed(sandbox)
        plan = sandbox.run("groups", "flush", *ON, *backup, "--dry-run", "-o", "json").json()["plan"]
        done = sandbox.run("groups", "flush", *ON, *backup, "--plan", plan)
        assert "ZADD available-groups" in done.out
        assert "toolkit cache rebuild --env sandbox" in done.out
        ran = sandbox.run("groups", "list", *ON)
        assert "the app offers no group" in ran.err
        sandbox.run("groups", "restore", str(tmp_path / "saved"), *ON, "--yes")
        assert listed(sandbox) == before

    def test_plan_that_the_world_has_overtaken(self, sandbox: Sandbox) -> None:
        name = default(sandbox)
        plan = sandbox.run("groups", "flush", *ON, "--dry-run", "-o", "json").json()["plan"]
        sandbox.run("groups", "delete", name, *ON, "--yes")
        ran = sandbox.run("groups", "flush", *ON, "--plan", plan, code=5)
        assert "Nothing was changed" in ran.err
        assert sum(group["l2"]["present"] for group in listed(sandbox).values()) == 2

    def test_nobody_to_ask(self, sandbox: Sandbox) -> None:
        before = listed(sandbox)
        assert "--plan" in sandbox.run("groups", "flush", *ON, code=5).err
        assert listed(sandbox) == before

    @pytest.mark.parametrize("more", [("--read-only",), ("--read-only", "--yes")])
    def test_read_only(self, sandbox: Sandbox, more: tuple[str, ...]) -> None:
        before = listed(sandbox)
        sandbox.run("groups", "flush", *ON, *more, code=5)
        sandbox.run("groups", "delete", default(sandbox), *ON, *more, code=5)
        assert listed(sandbox) == before

    def test_running_rebuild_is_said(self, sandbox: Sandbox) -> None:
        sandbox.scenario("rebuild-running")
        facts = sandbox.run("groups", "flush", *ON, "--dry-run", "-o", "json").json()["facts"]
        (rebuild,) = [fact for fact in facts if fact["label"] == "rebuild"]
        assert "is running" in rebuild["value"]
        assert rebuild["status"] == "fail"


class TestBadDays:
    def test_token_rotated(self, sandbox: Sandbox) -> None:
        sandbox.scenario("token-rotated")
        ran = sandbox.run("groups", "list", *ON, "-o", "json", code=4)
        assert "does not take the token that lies in Vault" in ran.err
        assert all(group["l2"]["present"] is None and group["l3"]["frames"] == 8 for group in ran.json())
        sandbox.run("groups", "flush", *ON, "--yes", code=4)
        sandbox.run("groups", "show", ran.json()[0]["name"], *ON, code=4)

    def test_vault_sealed(self, sandbox: Sandbox) -> None:
        sandbox.scenario("vault-sealed")
        ran = sandbox.run("groups", "list", *ON, code=3)
        assert "sealed" in ran.err
        assert "8/8" in ran.out
        sandbox.run("redis", "shell", *ON, "--", "ping", code=3)

    def test_proxy_moved(self, sandbox: Sandbox) -> None:
        before = listed(sandbox)
        sandbox.scenario("proxy-moved")
        ran = sandbox.run("groups", "list", *ON, "-o", "json")
        assert [group["name"] for group in ran.json()] == list(before)
        assert "no longer answers" in ran.err
        where = sandbox.run("redis", "address", *ON, "-o", "json")
        assert where.json()["configured"]["answers"] is False
        assert where.json()["address"] == where.json()["looked_up"]["address"]
        assert "is not the Service's" in where.err
        facts = sandbox.run("groups", "flush", *ON, "--dry-run", "-o", "json").json()["facts"]
        assert any(fact["label"] == "address" for fact in facts)

    def test_flushed(self, sandbox: Sandbox) -> None:
        sandbox.scenario("redis-flushed")
        assert not any(group["l2"]["present"] for group in listed(sandbox).values())
        assert "Nothing to do" in sandbox.run("groups", "flush", *ON, "--yes").out

    def test_rebuild_failed_half_way(self, sandbox: Sandbox) -> None:
        sandbox.scenario("rebuild-failed")
        ran = sandbox.run("groups", "list", *ON)
        assert "incomplete in Redis" in ran.err


class TestAddress:
    def test_both_answer(self, sandbox: Sandbox) -> None:
        found = sandbox.run("redis", "address", *ON, "-o", "json").json()
        assert found["configured"]["answers"]
        assert found["looked_up"]["answers"]
        assert sandbox.run("redis", "address", *ON, "-o", "plain").out.strip() == found["address"]

    def test_not_configured(self, sandbox: Sandbox) -> None:
        found = sandbox.run("redis", "address", "--env", "sandbox-mapapp", "-o", "json").json()
        assert found["configured"] is None
        assert found["address"] == found["looked_up"]["address"]


class TestShell:
    @needs_cli
    def test_one_command(self, sandbox: Sandbox) -> None:
        ran = sandbox.spawn("redis", "shell", *ON, "--", "zrevrange", "available-groups", "0", "0")
        assert (ran.code, ran.out.strip()) == (0, default(sandbox))

    def test_token_goes_by_the_environment_only_and_the_exit_status_comes_back(
        self, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cli = tmp_path / "redis-cli"
        cli.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$OUT"; printf %s "$REDISCLI_AUTH" >> "$OUT.token"; exit 7\n')
        cli.chmod(0o755)
        out = tmp_path / "out"
        secret = token(sandbox)
        ran = sandbox.spawn(
            "redis", "shell", *ON, "--", "set", "a b", "$HOME",
            PATH=f"{tmp_path}:{os.environ['PATH']}", OUT=str(out),
        )  # fmt: skip
        assert ran.code == 7
        assert out.read_text().splitlines()[-3:] == ["set", "a b", "$HOME"]
        assert secret not in out.read_text()
        assert (tmp_path / "out.token").read_text() == secret

    @needs_cli
    def test_nothing_shows_the_token_while_it_runs(self, sandbox: Sandbox) -> None:
        secret = token(sandbox)
        shell = subprocess.Popen(
            [sys.executable, "-m", "toolkit", "redis", "shell", *ON],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + 60
        while not (children := [c for c in psutil.Process(shell.pid).children() if "redis-cli" in c.name()]):
            assert time.monotonic() < end
            assert shell.poll() is None
            time.sleep(0.02)
        for process in (psutil.Process(shell.pid), *children):
            assert secret not in " ".join(process.cmdline())
        out, err = shell.communicate("ping\n", timeout=60)
        assert out.strip() == "PONG"
        assert secret not in out + err
        assert "passes no gate" in err

    def test_reading_prompt(self, sandbox: Sandbox) -> None:
        before = listed(sandbox)
        lines = (
            'ping\nset a b\n\nget "nobody"\nzscore available-groups nobody\nzrange available-groups 0 0\nquit\nnever\n'
        )
        ran = sandbox.spawn("redis", "shell", *ON, "--read-only", stdin=lines)
        assert ran.out.splitlines()[:3] == ['"PONG"', "(nil)", "(nil)"]
        assert ran.out.splitlines()[3].startswith('1) "')
        assert "SET is not a command that only reads" in ran.err
        assert ran.code == 5
        assert listed(sandbox) == before

    def test_read_only_command(self, sandbox: Sandbox) -> None:
        assert '"PONG"' in sandbox.run("redis", "shell", *ON, "--read-only", "--", "ping").out
        sandbox.run("redis", "shell", *ON, "--read-only", "--", "flushall", code=5)
        assert "SCAN" in sandbox.run("redis", "shell", *ON, "--read-only", "--", "keys", "*", code=5).err

    @needs_real_redis
    def test_requirepass_is_not_shown(self, sandbox: Sandbox) -> None:
        secret = token(sandbox)
        ran = sandbox.run("redis", "shell", *ON, "--read-only", "--", "config", "get", "requirepass")
        assert secret not in ran.out

    def test_protected_environment_lets_reads_through_and_asks_for_the_rest(self) -> None:
        protected = model.Environment(name="rp006", protected=True)
        redis_commands._guard(protected, ["zrange", "available-groups", "0", "-1"])
        for command in ([], ["flushall"], ["config", "set", "a", "b"]):
            with pytest.raises(Refused, match="passes no gate") as problem:
                redis_commands._guard(protected, command)
            assert "--read-only" in problem.value.hint

    def test_typed_confirmation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        protected = model.Environment(name="rp006", protected=True)
        monkeypatch.setattr(redis_commands.diagnostics, "can_ask", lambda: True)
        monkeypatch.setattr(redis_commands.diagnostics, "ask", lambda question: "rp006")
        redis_commands._guard(protected, [])
        monkeypatch.setattr(redis_commands.diagnostics, "ask", lambda question: "y")
        with pytest.raises(Refused, match="Not confirmed"):
            redis_commands._guard(protected, [])


def test_doctor_finds_the_redis_hops_well(sandbox: Sandbox) -> None:
    hops = {hop["name"]: hop for hop in json.loads(sandbox.run("doctor", *ON, "-o", "json").out)["hops"]}
    for name in ("proxy-address", "tcp", "redis", "groups"):
        assert hops[name]["status"] == "ok", hops[name]
        assert hops[name]["by_hand"] or name == "proxy-address"


def test_doctor_names_the_token(sandbox: Sandbox) -> None:
    sandbox.scenario("token-rotated")
    hops = {hop["name"]: hop for hop in json.loads(sandbox.run("doctor", *ON, "-o", "json", code=1).out)["hops"]}
    assert hops["redis"]["status"] == "fail"
    assert hops["groups"]["status"] == "skipped"
    assert hops["tcp"]["status"] == "ok"


def test_doctor_says_that_the_proxy_moved(sandbox: Sandbox) -> None:
    sandbox.scenario("proxy-moved")
    hops = {hop["name"]: hop for hop in json.loads(sandbox.run("doctor", *ON, "-o", "json").out)["hops"]}
    assert hops["proxy-address"]["status"] == "warn"
    assert "redis.address" in hops["proxy-address"]["hint"]
    assert hops["groups"]["status"] == "ok"
