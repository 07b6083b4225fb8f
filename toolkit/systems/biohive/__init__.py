"""BioHive over the system's own ssh, with the user's own ssh configuration: one connection for all that is asked.

The connection is a control connection (ControlMaster) in a private runtime directory, closed with the object; where the
user's configuration keeps one open already, that one is used and stays. Keys, agents, jump hosts, second factors and
host keys are ssh's business, and stay so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolkit.environments.biohive import BioHive as Part
from toolkit.errors import Failed, ToolkitError
from toolkit.secret import scrub
from toolkit.systems.biohive import errors, scripts
from toolkit.systems.biohive.target import Target, target
from toolkit.systems.biohive.there import Link, There, link, there
from toolkit.systems.bucket.names import shown

LOST: Final = 255  # ssh's own exit status for all that is its own trouble
_PERSISTS: Final = 60  # seconds that the connection outlives a toolkit that was killed
_SESSION: Final = (
    *("-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "LogLevel=ERROR"),
    *("-o", "RemoteCommand=none", "-o", "RequestTTY=no"),
)
_LOCAL: Final = 10.0  # seconds for what only asks the control connection on this machine
MEASURED_BYTES: Final = 64 << 20
MEASURED_SECONDS: Final = 8.0


@dataclass(frozen=True)
class Connected:
    """`seconds` it took to get in; `shared`: over a connection that the user had open already."""

    target: Target
    seconds: float
    shared: bool


class BioHive:
    """`connect` first where somebody may have to answer ssh's questions; all else connects by itself, asking nobody.

    Thread-safe. Errors are ToolkitErrors, see errors.py.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self._lock = threading.RLock()
        self._target: Target | None = None
        self._connected: Connected | None = None
        self._runtime: Path | None = None

    @property
    def target(self) -> Target:
        with self._lock:
            if self._target is None:
                self._target = target(self.part)
            return self._target

    def connect(self, *, interactive: bool = False) -> Connected:
        """Get in. `interactive`: ssh may ask at the terminal for a passphrase, a code, or whether it is the right host;
        else whatever needs an answer is an error."""
        with self._lock:
            if self._connected is not None:
                return self._connected
            started = time.monotonic()
            if self.target.own_control and self._control("check", own=True):
                self._connected = Connected(self.target, time.monotonic() - started, shared=True)
            else:
                self._open(interactive=interactive)
                seconds = time.monotonic() - started
                if self.target.host_key == "unknown":
                    self._target = target(self.part)  # somebody has just said yes to it
                self._connected = Connected(self.target, seconds, shared=False)
            return self._connected

    def alive(self) -> bool:
        """Whether the control connection's process still runs."""
        connected = self._connected
        return connected is not None and self._control("check", own=connected.shared)

    def ssh(self, remote: str = "", *, options: Sequence[str] = (), log: Path | None = None) -> list[str]:
        """The command that runs `remote` there over the connection; ssh's own words go to `log`."""
        words = ["ssh", *self.target.options, *self._socket(), *options, *_SESSION]
        if log is not None:
            words += ["-E", str(log)]
        return [*words, self.target.host, *([remote] if remote else [])]

    def ask(self, remote: str, *, doing: str, timeout: float | None = None, content: bytes | None = None) -> str:
        """What `remote` prints there. `content` is its stdin. Raises ConnectionCut, TimedOut; Failed where it ends with
        another status than 0, with what it said."""
        self.connect()
        limit = timeout or self.part.timeout_seconds * 3
        with self.log() as log:
            process = subprocess.Popen(
                self.ssh(remote, log=log),
                stdin=subprocess.DEVNULL if content is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with process:
                try:
                    out, said = process.communicate(content, timeout=limit)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise errors.hangs(self.target, limit) from None
                except BaseException:
                    process.kill()
                    raise
            if process.returncode == LOST:
                raise self.lost(log.read_text("utf-8", "replace"), doing)
        if process.returncode != 0:
            lines = scrub((said or out).decode("utf-8", "replace")).strip()[-600:].splitlines()
            text = "\n".join(map(shown, lines))
            raise Failed(
                f"{doing[:1].upper()}{doing[1:]} did not work on {self.target.host}: {text}",
                hint="Look there by hand.",
                by_hand=(self.target.by_hand(),),
            )
        return out.decode("utf-8", "replace")

    def look(self) -> There:
        """What is there: uv, the toolkit, room."""
        return there(self.ask(scripts.look(self.part.directory, self.part.scratch), doing="looking around"))

    def toolkit_version(self) -> str:
        """Of the toolkit there; "" where there is none."""
        return self.ask(scripts.toolkit_version(), doing="asking for the toolkit").partition(" ")[2].strip()

    def measure(self) -> Link:
        """How fast an object of Google's storage comes to BioHive. Raises Failed where it cannot be measured."""
        remote = scripts.measure(self.part.measured_url, MEASURED_BYTES, MEASURED_SECONDS)
        return link(self.ask(remote, doing="measuring its link", timeout=MEASURED_SECONDS + 20), self.part.measured_url)

    def lost(self, said: str, doing: str) -> ToolkitError:
        """Why ssh ended with 255: the connection is gone; or it stands, and a signal ended what ran there."""
        if self.alive():
            return Failed(
                f"It was ended by a signal on {self.target.host} while {doing}.",
                hint="Somebody there killed it, or it took too much memory: login nodes often have limits.",
                by_hand=(self.target.by_hand("ulimit -a"),),
            )
        with self._lock:
            self._connected = None
        if said.strip() and "closed" not in said and "Broken pipe" not in said:
            return errors.why_not(self.target, said)
        return errors.cut(self.target, doing)

    def forward(self, local: int, remote: int) -> bool:
        """Have the connection carry localhost:`local` here to localhost:`remote` there; False where that port of ours
        is taken."""
        return self._control("forward", "-L", f"127.0.0.1:{local}:127.0.0.1:{remote}")

    def end_forward(self, local: int, remote: int) -> None:
        self._control("cancel", "-L", f"127.0.0.1:{local}:127.0.0.1:{remote}")

    def close(self) -> None:
        """End the connection, unless it is the user's own."""
        with self._lock:
            if self._connected is not None and not self._connected.shared:
                self._control("exit")
            self._connected = None
            if self._runtime is not None:
                shutil.rmtree(self._runtime, ignore_errors=True)
                self._runtime = None

    @contextlib.contextmanager
    def log(self) -> Iterator[Path]:
        """A file for what one ssh says of itself."""
        handle, name = tempfile.mkstemp(prefix="log-", dir=self._private())
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _open(self, *, interactive: bool) -> None:
        limit = self.part.timeout_seconds
        socket = self._private() / "c"
        with self.log() as log:
            words = [
                *("ssh", *self.target.options, "-S", str(socket), "-M", "-N", "-f", "-E", str(log)),
                *("-o", f"ControlPersist={_PERSISTS}", "-o", f"ConnectTimeout={max(int(limit), 1)}"),
                *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3", "-o", "LogLevel=INFO"),
                *(
                    "-o",
                    "RemoteCommand=none",
                    "-o",
                    "ClearAllForwardings=yes",
                    "-o",
                    f"BatchMode={'no' if interactive else 'yes'}",
                ),
                self.target.host,
            ]
            process = subprocess.Popen(
                words,
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=not interactive,
                env=_variables(interactive=interactive),
            )
            try:
                status = process.wait(None if interactive else limit * 2 + 5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise errors.hangs(self.target, limit * 2 + 5) from None
            except BaseException:
                process.kill()
                process.wait()
                raise
            if status != 0:
                raise errors.why_not(self.target, log.read_text("utf-8", "replace"))

    def _control(self, verb: str, *words: str, own: bool | None = None) -> bool:
        """Ask the control connection's process; whether it did what was asked."""
        done = subprocess.run(
            ["ssh", *self.target.options, *self._socket(own), "-O", verb, *words, self.target.host],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LOCAL,
            check=False,
        )
        return done.returncode == 0

    def _socket(self, own: bool | None = None) -> Sequence[str]:
        if own is None:
            own = self._connected is not None and self._connected.shared
        return ("-S", self.target.own_control) if own else ("-S", str(self._private() / "c"))

    def _private(self) -> Path:
        """A short path: a socket's may have 104 bytes, of which ssh needs 17 for itself while it makes it."""
        with self._lock:
            if self._runtime is None:
                runtime = os.environ.get("XDG_RUNTIME_DIR", "")
                place = runtime if runtime and len(runtime) < 60 and Path(runtime).is_dir() else "/tmp"  # noqa: S108
                self._runtime = Path(tempfile.mkdtemp(prefix="bh-", dir=place))
            return self._runtime


def at_terminal() -> bool:
    """Whether somebody sits there to answer ssh's questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _variables(*, interactive: bool) -> dict[str, str]:
    if interactive:
        return {**os.environ}
    return {**os.environ, "SSH_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never"}
