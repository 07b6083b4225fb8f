"""The auto-loader's settings where they cannot be had: whatever configome is, it is said why, and what to do next."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import Sandbox
from msgspec.structs import replace

from toolkit.checks import questions, runner
from toolkit.checks.diagnosis.cause import Asked, Known
from toolkit.checks.diagnosis.group_causes import transformation_missing
from toolkit.checks.finding import Finding, Status
from toolkit.checks.shared import Run
from toolkit.environments import loading
from toolkit.sandbox import client
from toolkit.systems import git_file
from toolkit.systems.connections import Connections

GOOD = """\
group-auto-loader:
  prod:
    phenoservice-api: https://phenoservice.sandbox-rp006-prod.example
    dry_run: True
    deep-learning-model: {name: phenoprint-resnet, version: 4.2.0}
    transformations: [_prox_bias_reduced]
"""
CHECKS = ("loader-api", "loader-dry-run", "loader-settings", "loader-groups")


def asked(changes: dict[str, dict[str, Any]], names: tuple[str, ...] = CHECKS) -> dict[str, Finding]:
    """The findings where parts of the environment are configured otherwise than the sandbox says."""
    settings = loading.load(sandbox=client.start().config_file).settings
    environment = settings.environments["sandbox"]
    changed = {part: replace(getattr(environment, part), **values) for part, values in changes.items()}
    connections = Connections(replace(environment, **changed), settings)
    try:
        run = Run()
        checks = [questions.check(name, connections, {}, run=run) for name in names]
        return {finding.name: finding for finding in runner.run(checks)}
    finally:
        connections.close()


def unknown(changes: dict[str, dict[str, Any]], *words: str) -> Finding:
    """None of the questions is answered; each says why (all `words`) and what to do."""
    found = asked(changes)
    for finding in found.values():
        assert finding.status is Status.UNKNOWN, finding
        assert all(word in finding.summary for word in words), finding
        assert finding.hint or finding.by_hand, finding
    return found["loader-settings"]


def test_configome_as_a_file_answers_as_from_git(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "configome.yaml"
    file.write_text(GOOD)
    found = asked({"configome": {"remote": str(file)}})
    assert [finding.status for finding in found.values()] == [Status.OK] * len(CHECKS), found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no configome at"),
        ("a: [", "is not valid YAML"),
        ("a: 1\n", "has no group-auto-loader.prod"),
        ("group-auto-loader.prod:\n  transformations: 7\n", "line 2: transformations is no list"),
        ("\udcff", "is not UTF-8"),
        ("# " + "x" * (4 * 2**20), "too large"),
    ],
    ids=["not-there", "no-yaml", "no-key", "no-list", "no-text", "too-large"],
)
def test_a_file_that_is_no_configome(sandbox: Sandbox, tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "configome.yaml"
    if text is not None:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    unknown({"configome": {"remote": str(file)}}, words)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"remote": "/nowhere/configome"}, "There is no clone of configome"),
        ({"path": "rp006-neuro/configom.yaml"}, "configome has no file rp006-neuro/configom.yaml"),
        ({"branch": "main"}, "has no branch 'main'"),
        ({"remote": "https://me:sesame-open@git.example/configome"}, "A password stands in configome.remote"),
        ({"remote": "http://configome.example/configome.yaml"}, "no https URL"),
        ({"key": "group-auto-loader.staging"}, "has no group-auto-loader.staging"),
    ],
    ids=["no-clone", "no-file", "no-branch", "password", "plain-http", "no-key"],
)
def test_a_configuration_that_leads_nowhere(sandbox: Sandbox, values: dict[str, str], words: str) -> None:
    found = unknown({"configome": values}, words) if "key" not in values else asked({"configome": values})
    said = str(found)
    assert words in said
    assert "sesame-open" not in said


def test_git_that_refuses_and_git_that_hangs(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"configome": {"remote": "https://git.example/configome"}}
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(git_file, "_FETCH_SECONDS", 0.5)
    git = folder / "git"
    real = next(f"{one}/git" for one in os.environ["PATH"].split(":")[1:] if Path(one, "git").exists())
    for script, words in (
        (
            "echo 'fatal: Authentication failed' >&2; exit 128",
            "configome at https://git.example/configome does not let",
        ),
        ("sleep 600 & wait", "was not fetched within 0.5 s"),
    ):
        git.write_text(f'#!/bin/sh\ncase "$1" in clone) {script};; *) exec {real} "$@";; esac\n')
        git.chmod(0o755)
        unknown(here, words)


# -- over HTTP


@dataclass
class Server:
    """Answers everything in one way, and remembers how it was asked."""

    url: str = ""
    code: int = 200
    body: bytes = GOOD.encode()
    headers: dict[str, str] = field(default_factory=dict)
    hang: Callable[[], object] | None = None
    asked_with: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    found, over = Server(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked_with.append(self.headers.get("Authorization"))
            if found.hang is not None:
                over.wait(30)
                return
            self.send_response(found.code)
            for name, value in {"Content-Length": str(len(found.body)), **found.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    found.url = f"http://127.0.0.1:{httpd.server_address[1]}/configome.yaml"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    yield found
    over.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_over_http_it_answers_as_from_git_with_a_token_of_vault(sandbox: Sandbox, server: Server) -> None:
    part = {"remote": server.url, "vault_path": "phenoapp/loki"}  # any token that lies there
    found = asked({"configome": part})
    assert [finding.status for finding in found.values()] == [Status.OK] * len(CHECKS), found
    (token,) = {one for one in server.asked_with if one}
    assert token.startswith("Bearer ")
    assert token.removeprefix("Bearer ") not in str(found)
    assert any("sed 's/^/Authorization: Bearer /'" in line for line in found["loader-dry-run"].by_hand)
    server.asked_with.clear()
    asked({"configome": {"remote": server.url}}, ("loader-dry-run",))
    assert server.asked_with == [None]


@pytest.mark.parametrize(
    ("code", "body", "words"),
    [
        (401, b"who are you", "does not let us in (401): who are you"),
        (403, b"<html>no</html>", "does not let us in (403)."),
        (404, b"", "is not there (404)"),
        (500, b"oh no", "is in trouble (500): oh no"),
        (429, b"", "is in trouble (429)"),
        (418, b"teapot", "refuses the question (418): teapot"),
        (302, b"", "sends us on to login.example"),
        (200, b"<!doctype html><title>Sign in</title>", "sends a web page, not YAML"),
        (200, b"\xff\xfe\x00", "is no text"),
        (200, b"", "has no group-auto-loader.prod"),
        (200, b"\x01nonsense: [", "is not valid YAML"),
        (200, b"#" * (4 * 2**20 + 9), "too large"),
    ],
    ids=["401", "403", "404", "500", "429", "418", "redirect", "html", "bytes", "empty", "nonsense", "too-large"],
)
def test_a_server_that_does_not_give_it(sandbox: Sandbox, server: Server, code: int, body: bytes, words: str) -> None:
    server.code, server.body = code, body
    server.headers = {"Location": "https://login.example/"} if code == 302 else {}
    unknown({"configome": {"remote": server.url}}, words)


def test_a_server_that_hangs_or_is_not_there(sandbox: Sandbox, server: Server) -> None:
    server.hang = lambda: None
    unknown({"configome": {"remote": server.url, "timeout_seconds": 0.3}}, "did not answer within 0.3 s")
    unknown({"configome": {"remote": "http://127.0.0.1:9/configome.yaml"}}, "cannot be reached")


def test_a_server_that_sends_a_letter_now_and_then_is_given_up(sandbox: Sandbox) -> None:
    over = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not over.wait(0.05):
                try:
                    self.wfile.write(b"#")
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{httpd.server_address[1]}/configome.yaml"
        unknown({"configome": {"remote": url, "timeout_seconds": 0.5}}, "did not answer within 0.5 s")
    finally:
        over.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


# -- production's side, and nothing at all


def test_without_production_the_dry_run_flag_and_the_groups_are_known_all_the_same(sandbox: Sandbox) -> None:
    for values, words in (
        ({"loader": {"manifest": "kube/nowhere.yaml"}}, "eng-infrastructure has no file kube/nowhere.yaml"),
        ({"loader": {"manifest": ""}}, "loader.manifest is empty"),
        ({"infra_repo": {"remote": "/nowhere"}}, "There is no clone of eng-infrastructure"),
    ):
        found = asked(values)
        assert (found["loader-settings"].status, words in found["loader-settings"].summary) == (Status.UNKNOWN, True)
        assert found["loader-settings"].hint
        assert found["loader-dry-run"].status is found["loader-groups"].status is Status.OK
        assert found["loader-api"].status is Status.OK, "its address is configured"


def test_productions_api_is_trunks_where_none_is_configured(sandbox: Sandbox) -> None:
    found = asked({"loader": {"phenoservice_api": ""}}, ("loader-api",))["loader-api"]
    assert found.status is Status.OK


def test_where_nobody_configured_configome_nothing_is_asked(sandbox: Sandbox) -> None:
    found = asked({"configome": {"remote": ""}})
    assert {finding.status for finding in found.values()} == {Status.SKIPPED}
    assert all("configome.remote is empty" in finding.summary and finding.hint for finding in found.values())
    judged = transformation_missing(Asked(group="a"), Known({"loader-transformation": found["loader-settings"]}))
    assert judged.word == "not asked"


def test_the_commands_say_which_key_is_open_and_why_it_is_not_known(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = client.start().config_file
    kept = file.read_text("utf-8")
    try:
        file.write_text(kept.replace('/configome"', '/nowhere"'))
        for command, checks in (("check", 3), ("plan", 3)):
            ran = sandbox.run("loader", command, "--env", "sandbox", "-o", "json", code=2)
            assert sum(one["status"] == "unknown" for one in ran.json()["findings"]) >= checks - 1
            assert "There is no clone of configome" in ran.out
    finally:
        file.write_text(kept)
