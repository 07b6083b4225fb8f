"""`toolkit bucket …` as a user types it: what it prints, and its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bucket_fixtures import NAME, fill, server

from toolkit import paths
from toolkit.__main__ import run
from toolkit.actions.journal import Journal
from toolkit.sandbox.storage.api import StorageServer

__all__ = ["server"]


@dataclass
class Typed:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Type = Callable[..., Typed]


@pytest.fixture
def type_(server: StorageServer, home: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Types `toolkit bucket …` in an environment whose bucket is the server's."""
    file = home / "config" / "toolkit.toml"
    file.parent.mkdir(parents=True)
    file.write_text(
        f"""
        [environments.here.bucket]
        name = "{NAME}"
        endpoint = "{server.url}"
        timeout_seconds = 5
        """
    )

    def type_(*words: str) -> Typed:
        capsys.readouterr()
        code = run(["bucket", *words])
        shown = capsys.readouterr()
        return Typed(code, shown.out, shown.err)

    return type_


def test_ls_as_json(type_: Type, server: StorageServer) -> None:
    fill(server, 2, "group-1/")
    fill(server, 1, "group-2/sub/")
    server.put(NAME, "note.txt", b"note")
    found = type_("ls", "-o", "json").json
    assert [(row["path"], row["kind"], row["bytes"]) for row in found] == [
        ("group-1/", "folder", None),
        ("group-2/", "folder", None),
        ("note.txt", "object", 4),
    ]
    assert found[2]["updated"].endswith("Z")
    assert found[0]["updated"] is None
    found = type_("ls", "--sizes", "-o", "json").json
    assert [row["bytes"] for row in found] == [10, 5, 4]
    found = type_("ls", "group-2", "-r", "-o", "json").json
    assert [row["path"] for row in found] == ["group-2/sub/frame-00000.parquet"]


def test_ls_for_people_and_for_pipes(type_: Type, server: StorageServer) -> None:
    names = fill(server, 2, "group-1/")
    table = type_("ls", "group-1")
    assert table.code == 0
    assert names[0] in table.out
    assert "gs://rp006-l3-cache/group-1: 0 folders, 2 objects" in table.err
    plain = type_("ls", "group-1/", "-o", "plain").out.splitlines()
    assert plain[0].split("\t")[:2] == [names[0], "5"]


def test_every_page_is_listed(type_: Type, server: StorageServer) -> None:
    fill(server, 2100)
    assert len(type_("ls", "group-1", "-o", "json").json) == 2100


def test_names_cannot_steer_the_terminal(type_: Type, server: StorageServer) -> None:
    server.put(NAME, "evil\x1b[2Jname", b"x")
    for words in (("ls",), ("du",), ("rm", "evil\x1b[2Jname", "--dry-run")):
        shown = type_(*words)
        assert "\x1b" not in shown.out + shown.err
        assert "evil\\x1b[2Jname" in shown.out


def test_an_empty_bucket(type_: Type) -> None:
    assert type_("ls").out == "Nothing is in gs://rp006-l3-cache/.\n"
    assert type_("ls", "-o", "json").json == []


def test_ls_of_nothing_is_not_found(type_: Type, server: StorageServer) -> None:
    fill(server, 1)
    shown = type_("ls", "grup-1")
    assert shown.code == 1
    assert shown.out == ""
    assert "Did you mean group-1/" in shown.err


def test_du(type_: Type, server: StorageServer) -> None:
    fill(server, 2, "group-1/", b"1234567890")
    fill(server, 1, "group-2/")
    server.put(NAME, "note", b"x")
    found = type_("du", "-o", "json").json
    assert [(row["path"], row["kind"], row["objects"], row["bytes"]) for row in found] == [
        ("group-1/", "folder", 2, 20),
        ("group-2/", "folder", 1, 5),
        ("note", "object", 1, 1),
        ("", "total", 4, 26),
    ]
    assert "all of gs://rp006-l3-cache/group-1" in type_("du", "group-1").out


def test_get(type_: Type, server: StorageServer, tmp_path: Path) -> None:
    fill(server, 3, "cache/group-1/", b"content")
    server.put(NAME, "cache/group-1/../../evil", b"x")
    shown = type_("get", "cache/group-1", "--to", str(tmp_path / "to"), "-o", "json")
    assert shown.code == 1
    assert len(shown.json["done"]) == 3
    assert shown.json["bytes"] == 21
    assert shown.json["failed"][0]["path"] == "cache/group-1/../../evil"
    assert (tmp_path / "to/group-1/frame-00002.parquet").read_bytes() == b"content"
    server.delete(NAME, "cache/group-1/../../evil")
    again = type_("get", "cache/group-1", "--to", str(tmp_path / "to"))
    assert again.code == 0
    assert "3 files were there already" in again.out


def test_rm_asks_for_a_plan_where_nobody_sits(type_: Type, server: StorageServer) -> None:
    fill(server, 3)
    refused = type_("rm", "group-1")
    assert refused.code == 5
    assert len(server.list(NAME)) == 3


def test_rm_by_plan_and_restore_by_what_it_says(type_: Type, server: StorageServer) -> None:
    names = fill(server, 3)
    server.put(NAME, "keep", b"x")
    plan = type_("rm", "group-1", "--dry-run", "-o", "json").json
    assert plan["changes"][0]["count"] == 3
    assert len(server.list(NAME)) == 4
    done = type_("rm", "group-1", "--plan", plan["plan"], "-o", "json")
    assert done.code == 0
    assert done.json["result"] == "done"
    assert server.list(NAME) == ["keep"]
    words = done.json["undo"][0].split()
    assert words[:3] == ["toolkit", "bucket", "restore"]
    back = type_(*words[2:], "--yes")
    assert back.code == 0
    assert server.list(NAME) == [*names, "keep"]


def test_rm_that_fails_for_some_lists_them_and_exits_with_1(type_: Type, server: StorageServer) -> None:
    names = fill(server, 3)
    server.faults.fail_objects(names[1], 403)
    shown = type_("rm", "group-1", "--yes", "-o", "json")
    assert shown.code == 1
    assert shown.json["result"] == "partial"
    assert shown.json["left"] == [
        f"gs://{NAME}/{names[1]}: not allowed: storage.objects.delete is missing (403)",
    ]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("rm", "gs://other/group-1"), 5, "is in the bucket 'other'"),
        (("rm",), 2, "either paths or a manifest"),
        (("rm", "x", "--manifest", "y"), 2, "either paths or a manifest"),
        (("restore", "--manifest", "nowhere"), 1, "There is no manifest nowhere"),
        (("restore", "group-9"), 1, "keeps nothing deleted"),
        (("rm", "group-1", "--yes", "--read-only"), 5, "read-only"),
        (("get", "nothing"), 1, "There is nothing at nothing"),
        (("get", "https://example.com/x"), 2, "is not a path in a bucket"),
    ],
)
def test_wrong_words(type_: Type, server: StorageServer, words: tuple[str, ...], code: int, says: str) -> None:
    fill(server, 1)
    shown = type_(*words)
    assert shown.code == code
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert len(server.list(NAME)) == 1


def test_killed_in_the_middle_the_rest_can_be_done_and_all_of_it_undone(type_: Type, server: StorageServer) -> None:
    fill(server, 3000)
    server.put(NAME, "keep", b"x")
    plan = type_("rm", "group-1", "--dry-run", "-o", "json").json["plan"]
    server.faults.latency = 0.3
    command = [sys.executable, "-m", "toolkit", "bucket", "rm", "group-1", "--plan", plan]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(server.list(NAME)) > 2500 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    server.faults.latency = 0
    while server.requests_under_way:
        time.sleep(0.01)
    assert 1 < len(server.list(NAME)) < 2600
    (operation,) = Journal().operations()
    assert operation.result == "interrupted"
    (file,) = (paths.state() / "manifests").iterdir()
    assert type_("rm", "--manifest", str(file), "--yes").code == 0
    assert server.list(NAME) == ["keep"]
    undo = type_("restore", "--manifest", str(file), "--dry-run", "-o", "json").json
    assert undo["changes"][0]["count"] == 3000


@pytest.mark.parametrize("verb", ["ls", "du"])
def test_bad_days_have_their_exit_codes(type_: Type, server: StorageServer, verb: str) -> None:
    server.faults.forbid(NAME)
    shown = type_(verb)
    assert (shown.code, shown.out) == (4, "")
    assert "storage.objects.list" in shown.err
    server.faults.heal()
    server.faults.fail_next(20, 503)
    assert type_(verb).code == 3
    server.faults.heal()
    server.stop()
    shown = type_(verb)
    assert shown.code == 3
    assert "Connection refused" in shown.err
