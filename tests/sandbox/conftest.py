"""One sandbox for each test process, and the toolkit as a user types it, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out, self
        return json.loads(self.out)


@dataclass
class Sandbox:
    """A running sandbox and its home."""

    home: Path
    capture: pytest.CaptureFixture[str] | None = None

    def run(self, *arguments: str, code: int | None = 0) -> Ran:
        """Type `toolkit …` in this process. `code` is the exit code that is expected (None: any)."""
        from toolkit.__main__ import run

        assert self.capture is not None
        before = {name: os.environ.get(name) for name in ("TOOLKIT_ENV", "TOOLKIT_OUTPUT", "TOOLKIT_READ_ONLY")}
        self.capture.readouterr()
        try:
            status = run(list(arguments))
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        shown = self.capture.readouterr()
        ran = Ran(status, shown.out, shown.err)
        assert code is None or ran.code == code, ran
        return ran

    def spawn(self, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """Type `toolkit …` in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "toolkit", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env={**os.environ, **variables},
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def scenario(self, *names: str) -> None:
        from toolkit.sandbox import client

        client.apply_scenario(list(names) or ["healthy"])


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from toolkit.sandbox import client

    home = tmp_path_factory.mktemp("sandbox-home")
    before = os.environ.get("TOOLKIT_HOME")
    os.environ["TOOLKIT_HOME"] = str(home)
    try:
        client.start(rebuild_seconds=2.0)
        yield home
        os.environ["TOOLKIT_HOME"] = str(home)
        client.stop()
    finally:
        if before is None:
            os.environ.pop("TOOLKIT_HOME", None)
        else:
            os.environ["TOOLKIT_HOME"] = before


@pytest.fixture
def sandbox(_world: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sandbox:
    """The running sandbox, healthy."""
    monkeypatch.setenv("TOOLKIT_HOME", str(_world))
    running = Sandbox(_world, capsys)
    running.scenario("healthy")
    return running
