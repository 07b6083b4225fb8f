"""Getting into BioHive, and not: a real sshd, a real ssh, each trouble as it comes about. What the toolkit is there."""

from __future__ import annotations

import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from biohive_fixtures import E, Machine, connections_left, free_port, key, needs_sshd
from biohive_fixtures import machine as machine
from biohive_fixtures import node as node
from conftest import Sandbox

from toolkit import __version__

pytestmark = needs_sshd


@pytest.fixture
def here(home: Path, capsys: pytest.CaptureFixture[str]) -> Sandbox:
    """The toolkit as it is typed here; no sandbox runs."""
    return Sandbox(home, capsys)


def other(machine: Machine, old: str, new: str) -> None:
    """The person's ssh configuration, with another line."""
    text = machine.config.read_text()
    assert old in text
    machine.config.write_text(text.replace(old, new))


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(8)
        yield held.getsockname()[1]


def test_in_and_what_is_there(machine: Machine, here: Sandbox) -> None:
    found = here.run("biohive", "status", *E, "--no-measure", "-o", "json").json()
    assert (found["in"], found["host_key"], found["port"]) == (True, "known", machine.port)
    assert found["there"]["directory"] == str(machine.remote)
    assert found["there"]["room"][0]["free"] > 0
    assert connections_left(machine) == []
    page = here.run("biohive", "status", *E, "--no-measure")
    assert "no toolkit there" in page.out
    assert "toolkit biohive install" in page.out


def test_the_link_is_measured_and_remembered(machine: Machine, here: Sandbox, home: Path) -> None:
    from toolkit.systems import rates

    class Google(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(6 << 20))
            self.end_headers()
            for _ in range(6):
                time.sleep(0.03)  # as slow as a link
                self.wfile.write(b"x" * (1 << 20))

        def log_message(self, *_: object) -> None:
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Google) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        machine.configure(home, measured_url=f"http://127.0.0.1:{server.server_port}/object")
        link = here.run("biohive", "status", *E, "-o", "json").json()["link"]
        server.shutdown()
    assert link["bytes"] == 6 << 20
    noted = rates.recall(rates.on_biohive("bio"))
    assert noted is not None
    assert noted.bytes == 6 << 20


def test_a_link_that_cannot_be_measured_is_said(machine: Machine, here: Sandbox, home: Path) -> None:
    machine.configure(home, measured_url=f"http://127.0.0.1:{free_port()}/object")
    found = here.run("biohive", "status", *E, "-o", "json").json()
    assert found["link"] is None
    assert "could not be measured" in found["link_problem"]


def test_an_unknown_host_key(machine: Machine, here: Sandbox) -> None:
    machine.known_hosts("")
    found = here.run("biohive", "status", *E, "-o", "json", code=4).json()
    assert (found["in"], found["host_key"]) == (False, "unknown")
    assert "fingerprint" in found["hint"]
    assert (machine.folder / "known_hosts").read_text() == ""


def test_a_changed_host_key(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    key(tmp_path / "other")
    machine.known_hosts(f"[127.0.0.1]:{machine.port} {(tmp_path / 'other.pub').read_text()}")
    found = here.run("biohive", "status", *E, "-o", "json", code=4).json()
    assert (found["in"], found["host_key"]) == (False, "changed")
    said = subprocess.run(
        ["ssh-keygen", "-lf", str(machine.folder / "host_key.pub")], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[1] in found["problem"]  # the fingerprint to ask about
    assert any(line.startswith("ssh-keygen -R") for line in found["by_hand"])


def test_no_permission(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    key(tmp_path / "id")
    other(machine, f"IdentityFile {machine.folder / 'id'}", f"IdentityFile {tmp_path / 'id'}")
    ran = here.run("biohive", "run", *E, "--", "env", "list", code=4)
    assert "does not let" in ran.err
    assert "No ssh agent runs" in ran.err
    assert str(tmp_path / "id") in ran.err
    assert "next:" in ran.err


def test_no_key_at_all(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    other(machine, f"IdentityFile {machine.folder / 'id'}", f"IdentityFile {tmp_path / 'none'}")
    ran = here.run("biohive", "status", *E, code=4)
    assert "none of the key files" in ran.out


def test_nothing_listens(machine: Machine, here: Sandbox) -> None:
    port = free_port()
    other(machine, f"Port {machine.port}", f"Port {port}")
    ran = here.run("biohive", "get", *E, "x", code=3)
    assert "refuses the connection" in ran.err
    assert str(port) in ran.err


def test_it_hangs(machine: Machine, here: Sandbox, home: Path) -> None:
    machine.configure(home, timeout_seconds="1.0")
    with silent() as port:
        other(machine, f"Port {machine.port}", f"Port {port}")
        ran = here.run("biohive", "status", *E, code=3)
    assert "does not answer" in ran.out + ran.err
    assert "VPN" in ran.out + ran.err


def test_a_name_that_nobody_knows(machine: Machine, here: Sandbox) -> None:
    other(machine, "HostName 127.0.0.1", "HostName no-such-host.invalid")
    ran = here.run("biohive", "status", *E, code=3)
    assert "nobody knows that name" in ran.out


def test_a_wrong_ssh_configuration(machine: Machine, here: Sandbox) -> None:
    machine.config.write_text("Hosst bio\n")
    ran = here.run("biohive", "status", *E, code=2)
    assert "does not take its configuration" in ran.err
    assert "Hosst" in ran.err or "hosst" in ran.err


def test_an_own_connection_is_used_and_stays(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    socket_file = tmp_path / "own"
    machine.config.write_text(machine.config.read_text() + f"  ControlPath {socket_file}\n")
    own = ["ssh", "-F", str(machine.config)]
    subprocess.run([*own, "-M", "-N", "-f", "bio"], check=True, stderr=subprocess.DEVNULL, timeout=20)
    try:
        page = here.run("biohive", "status", *E, "--no-measure")
        assert "over the connection that you have open" in page.out
        assert subprocess.run([*own, "-O", "check", "bio"], capture_output=True, check=False).returncode == 0
    finally:
        subprocess.run([*own, "-O", "exit", "bio"], capture_output=True, check=False, timeout=20)


def test_nothing_is_installed_without_consent(machine: Machine, here: Sandbox) -> None:
    plan = here.run("biohive", "install", *E, "--dry-run", "-o", "json").json()
    assert [change["verb"] for change in plan["changes"]] == ["copy", "install"]
    assert any("uv tool install" in line for line in plan["by_hand"])
    for words in (("install", *E), ("run", *E, "--", "env", "list")):
        ran = here.run("biohive", *words, code=5)
        assert plan["plan"] in ran.err  # with which it would be carried out
    here.run("biohive", "install", *E, "--yes", "--read-only", code=5)
    assert not list(machine.remote.rglob("*.whl"))


def test_a_machine_without_uv(machine: Machine, here: Sandbox) -> None:
    machine.restart(SetEnv=f"HOME={machine.remote} PATH={machine.folder / 'bin'}:/usr/bin:/bin")
    try:
        ran = here.run("biohive", "install", *E, "--dry-run", code=1)
        assert "no uv" in ran.err
        assert "astral.sh/uv" in ran.err
    finally:
        machine.restart()


def test_another_version_is_replaced_and_then_runs(machine: Machine, here: Sandbox, home: Path) -> None:
    """The one that really installs: a wheel of this code, by uv, in the home there."""
    machine.program("toolkit", "#!/bin/sh\necho toolkit 0.0.1\n")
    plan = here.run("biohive", "install", *E, "--dry-run", "-o", "json").json()
    assert "0.0.1" in plan["changes"][1]["target"]
    ran = here.spawn("biohive", "run", *E, "--plan", plan["plan"], "--", "env", "list", "-o", "json")
    assert ran.code == 0, ran
    assert [one["name"] for one in ran.json()][:2] == ["mapapp", "rp006"]  # stdout is the command's alone
    assert f"has toolkit 0.0.1; here it is {__version__}" in ran.err
    assert (machine.remote / ".local/bin/toolkit").exists()
    again = here.spawn("biohive", "run", *E, "--", "runbook", "list", "-o", "json")
    assert again.code == 0, again
    assert "work-on-biohive" in again.out  # the runbooks came along
    journal = here.run("journal", "list", "-o", "json").json()
    assert [(one["action"], one["result"]) for one in journal] == [("biohive.install", "done")]
    assert "already so" in here.run("biohive", "install", *E, "--yes").out
    assert here.run("biohive", "status", *E, "--no-measure", "-o", "json").json()["toolkit_same"] is True
