"""Files from BioHive, and Jupyter there through a tunnel: over a real sshd, with real bytes."""

from __future__ import annotations

import re
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from biohive_fixtures import E, Machine, connections_left, needs_sshd, running, started, until_true
from biohive_fixtures import machine as machine
from biohive_fixtures import node as node
from conftest import Sandbox

from toolkit.environments import loading
from toolkit.errors import Interrupted, Unreachable
from toolkit.progress import Advanced, Event, Progress
from toolkit.systems.biohive import BioHive, fetching

pytestmark = needs_sshd

TOKEN = "5e1f0a7c3b9d48e2a6c4f0b1d2e3a4f5"
JUPYTER = f"""#!{sys.executable}
import http.server, os, pathlib, sys
home = pathlib.Path(os.environ["HOME"])
(home / "words").write_text(" ".join(sys.argv[1:]))
if (home / "broken").exists():
    print("ModuleNotFoundError: no jupyterlab", file=sys.stderr)
    sys.exit(7)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 3000000 if self.path == "/large" else f"path {{self.path}}".encode())
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
(home / "pid").write_text(str(os.getpid()))
print("[I 2026-11-24 ServerApp] Jupyter Server is running at:", file=sys.stderr)
print(f"[I 2026-11-24 ServerApp] http://bio.example:{{server.server_port}}/lab?token={TOKEN}", file=sys.stderr)
print(f"[I 2026-11-24 ServerApp]     http://127.0.0.1:{{server.server_port}}/lab?token={TOKEN}", file=sys.stderr)
server.serve_forever()
"""


@pytest.fixture
def here(home: Path, capsys: pytest.CaptureFixture[str]) -> Sandbox:
    return Sandbox(home, capsys)


@pytest.fixture
def biohive(machine: Machine) -> Iterator[BioHive]:
    opened = BioHive(loading.load().settings.environments["lab"].biohive)
    yield opened
    opened.close()


def fill(machine: Machine) -> dict[str, bytes]:
    files = {"a.csv": b"a,b\n1,2\n", "deep/er/b c'd.bin": bytes(range(256)) * 5000, "empty": b"", "é": b"accent"}
    for name, content in files.items():
        file = machine.remote / "results" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return files


def test_a_folder_comes_whole_and_only_once(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    files = fill(machine)
    words = ("biohive", "get", *E, "~/results", "--to", str(tmp_path / "got"), "-o", "json")
    first = here.run(*words).json()
    assert {one["outcome"] for one in first["files"]} == {"fetched"}
    for name, content in files.items():
        assert (tmp_path / "got" / "results" / name).read_bytes() == content
    again = here.run(*words).json()
    assert {one["outcome"] for one in again["files"]} == {"already there"}
    assert again["bytes_moved"] == 0
    assert not [*(tmp_path / "got").rglob("*.part")]
    assert connections_left(machine) == []


def test_nothing_is_overwritten_silently(machine: Machine, here: Sandbox, tmp_path: Path) -> None:
    fill(machine)
    mine = tmp_path / "a.csv"
    for content in (b"mine", b"mine,too"):  # of another size, and of the same
        mine.write_bytes(content)
        ran = here.run("biohive", "get", *E, "results/a.csv", code=1)
        assert "--overwrite" in ran.out
        assert mine.read_bytes() == content
    here.run("biohive", "get", *E, "results/a.csv", "--overwrite")
    assert mine.read_bytes() == b"a,b\n1,2\n"


def test_what_is_not_there(machine: Machine, here: Sandbox) -> None:
    ran = here.run("biohive", "get", *E, "no such", code=1)
    assert "no such" in ran.err


def large(machine: Machine) -> bytes:
    content = b"".join(number.to_bytes(4, "big") for number in range(2_500_000))
    (machine.remote / "large").write_bytes(content)
    return content


def stopping(act: object) -> Progress:
    """Does `act` once as soon as some bytes have come, and not all."""
    done: list[Event] = []

    def tell(event: Event) -> None:
        if isinstance(event, Advanced) and event.done > 0 and not done:
            done.append(event)
            act(progress)  # type: ignore[operator]

    progress = Progress(tell)
    return progress


def test_it_goes_on_where_it_stopped(machine: Machine, biohive: BioHive, tmp_path: Path) -> None:
    content = large(machine)
    with pytest.raises(Interrupted, match="are here"):
        fetching.fetch(biohive, ["large"], tmp_path, stopping(lambda progress: progress.stop.set()))
    assert not (tmp_path / "large").exists()
    result = fetching.fetch(biohive, ["large"], tmp_path, Progress())
    assert 0 < result.bytes_moved < len(content)
    assert (tmp_path / "large").read_bytes() == content


def test_a_cut_in_the_middle_keeps_what_came(machine: Machine, biohive: BioHive, tmp_path: Path) -> None:
    content = large(machine)
    with pytest.raises(Unreachable, match="was cut") as cut:
        fetching.fetch(biohive, ["large"], tmp_path, stopping(lambda _: machine.cut()))
    assert "goes on there" in cut.value.hint
    result = fetching.fetch(biohive, ["large"], tmp_path, Progress())
    assert result.well
    assert 0 < result.bytes_moved < len(content)
    assert (tmp_path / "large").read_bytes() == content


def test_bytes_that_are_not_biohives_get_no_name(machine: Machine, biohive: BioHive, tmp_path: Path) -> None:
    content = large(machine)
    with pytest.raises(Interrupted):
        fetching.fetch(biohive, ["large"], tmp_path, stopping(lambda progress: progress.stop.set()))
    (part,) = tmp_path.glob(".large.*.part")
    part.write_bytes(b"wrong" + part.read_bytes()[5:])
    result = fetching.fetch(biohive, ["large"], tmp_path, Progress())
    assert "digest" in result.files[0].why
    assert not (tmp_path / "large").exists()
    assert fetching.fetch(biohive, ["large"], tmp_path, Progress()).well
    assert (tmp_path / "large").read_bytes() == content


def test_jupyter_through_the_tunnel(machine: Machine, here: Sandbox) -> None:
    machine.program("jupyter", JUPYTER)
    with started("biohive", "jupyter", *E, terminal=True) as typed:
        typed.until("Ctrl-C ends it")
        found = re.search(rb"http://localhost:(\d+)/lab\?token=(\w+)", typed.said)
        assert found is not None
        assert found[2].decode() == TOKEN
        port = int(found[1])
        assert read(port, "/lab") == b"path /lab"
        assert len(read(port, "/large")) == 3_000_000
        typed.process.send_signal(signal.SIGINT)
        code, _ = typed.end()
    assert code == 0
    assert (machine.remote / "words").read_text().startswith("lab --no-browser")
    ended(machine, port)


def test_the_token_goes_into_no_pipe(machine: Machine, here: Sandbox) -> None:
    machine.program("jupyter", JUPYTER)
    with started("biohive", "jupyter", *E) as typed:
        typed.until("localhost:")
        typed.process.send_signal(signal.SIGTERM)
        code, out = typed.end()
    assert code == 0
    assert TOKEN not in out + typed.err
    assert "--reveal" in typed.err
    ended(machine, int(out.strip().rpartition(":")[2]))


def test_a_tunnel_that_dies_ends_it(machine: Machine, here: Sandbox) -> None:
    machine.program("jupyter", JUPYTER)
    with started("biohive", "jupyter", *E) as typed:
        typed.until("localhost:")
        machine.cut()
        code, out = typed.end()
    assert code == 3
    assert "was cut while Jupyter ran there" in typed.err
    assert TOKEN not in typed.err
    ended(machine, int(out.strip().rpartition(":")[2]))


def test_jupyter_that_does_not_start(machine: Machine, here: Sandbox) -> None:
    machine.program("jupyter", JUPYTER)
    (machine.remote / "broken").touch()
    ran = here.spawn("biohive", "jupyter", *E)
    assert ran.code == 1
    assert "no jupyterlab" in ran.err
    assert "biohive.jupyter" in ran.err


def test_a_port_that_is_taken(machine: Machine, here: Sandbox) -> None:
    machine.program("jupyter", JUPYTER)
    ran = here.spawn("biohive", "jupyter", *E, "--port", str(machine.port))
    assert ran.code == 2
    assert "is taken" in ran.err
    until_true(lambda: not running(int((machine.remote / "pid").read_text())), "Jupyter ends there")


@pytest.mark.parametrize(
    ("answers", "steps"),
    [
        (("task=search", "pert=BRCA1"), "can-you-get-in is-the-toolkit-there search-all-groups clean-up"),
        (("task=notebook",), "can-you-get-in is-the-toolkit-there start-jupyter-there clean-up"),
    ],
)
def test_the_runbook_walks_with_a_biohive(
    machine: Machine, here: Sandbox, answers: tuple[str, ...], steps: str
) -> None:
    given = [word for answer in answers for word in ("--set", answer)]
    ran = here.run("runbook", "run", "work-on-biohive", *given, *E, "--yes", "-o", "json", code=None).json()
    for _ in range(6):
        if ran["here"] is None:
            break
        more = ("--done", "did it")
        ran = here.run("runbook", "resume", ran["case"], *more, "--yes", "-o", "json", code=None).json()
    assert [step["step"] for step in ran["steps"]] == steps.split()
    assert {one["name"]: one["status"] for one in ran["findings"]} == {"biohive": "ok", "biohive-toolkit": "warn"}


def test_the_runbook_where_there_is_no_way_in(machine: Machine, here: Sandbox) -> None:
    machine.known_hosts("")
    ran = here.run("runbook", "run", "work-on-biohive", *E, "--yes", "-o", "json", code=5).json()
    assert ran["here"]["step"] == "mend-the-way-in"


def read(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return bytes(answer.read())


def ended(machine: Machine, port: int) -> None:
    until_true(lambda: not running(int((machine.remote / "pid").read_text())), "Jupyter ends there")
    until_true(lambda: not connections_left(machine), "the connection ends")
    with pytest.raises(OSError, match="refused"):
        read(port, "/")
