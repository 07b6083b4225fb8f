"""Jupyter on BioHive, with a tunnel from a port of this machine to its own. All of it ends together."""

from __future__ import annotations

import collections
import re
import socket
import subprocess
import threading
import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

from toolkit.errors import Failed, Interrupted, TimedOut, UsageError
from toolkit.progress import Progress
from toolkit.secret import Secret, scrub
from toolkit.systems.biohive import LOST, BioHive
from toolkit.systems.biohive.running import Running
from toolkit.systems.bucket.names import shown

_LINK: Final = re.compile(r"(https?)://(?:localhost|127\.0\.0\.1|\[::1\]):(\d{2,5})(/[^\s\x1b]*)?")
_STARTS: Final = 120.0  # seconds that Jupyter may take on a slow file system
_LOOKS: Final = 5.0  # seconds between two looks at the connection
_TRIES: Final = 20  # ports


class Notebook:
    """Started when it is made: Jupyter runs there, the tunnel stands, and it has answered through it.

    `link` is where it is open here; it holds the token, as Jupyter's own does. `port`: which one here (0: as there if
    that is free, else any).
    """

    def __init__(self, biohive: BioHive, progress: Progress, *, port: int = 0) -> None:
        self._biohive = biohive
        self._said: collections.deque[str] = collections.deque(maxlen=15)
        self._found = threading.Event()
        self._theirs: tuple[str, int, str] | None = None
        self.remote_port = self.local_port = 0
        self.link = Secret("")
        command = biohive.part.jupyter
        progress.step(f"Starting `{command}` on {biohive.target.host}")
        self._running = Running(
            biohive,
            ("sh", "-c", f"exec {command} --no-browser --ip=127.0.0.1"),
            output=subprocess.PIPE,
            signals=("TERM", "KILL"),
            doing="Jupyter ran there",
        )
        threading.Thread(target=self._read, name="Jupyter's output", daemon=True).start()
        try:
            scheme, self.remote_port, path = self._wait_for_link(progress)
            self.local_port = self._open_tunnel(port)
            self._wait_for_answer(progress)
        except BaseException:
            self.close()
            raise
        self.link = Secret(f"{scheme}://localhost:{self.local_port}{path}")

    @property
    def place(self) -> str:
        """Where it is open here, without the token."""
        return f"localhost:{self.local_port}"

    def wait(self, progress: Progress) -> None:
        """Until somebody asks to stop, which is how it ends well. Raises ConnectionCut; Failed where Jupyter ends."""
        while not progress.stop.wait(_LOOKS):
            if self._running.process.poll() is not None:
                self._ended()
            if not self._biohive.alive():
                raise self._running.lost()

    def close(self) -> None:
        """End the tunnel, and Jupyter with its kernels."""
        if self.local_port:
            self._biohive.end_forward(self.local_port, self.remote_port)
            self.local_port = 0
        self._running.close("TERM")

    def _read(self) -> None:
        for raw in self._running.output:
            line = raw.decode("utf-8", "replace").rstrip()
            if self._theirs is None and (found := _LINK.search(line)):
                path = found[3] or "/"
                for token in parse_qs(urlsplit(path).query).get("token", []):
                    Secret(token)  # from now on it is scrubbed from all that is said
                self._theirs = (found[1], int(found[2]), path)
                self._found.set()
            self._said.append(shown(scrub(line)))
        self._found.set()

    def _wait_for_link(self, progress: Progress) -> tuple[str, int, str]:
        until = time.monotonic() + _STARTS
        while not self._found.wait(0.1):
            progress.check_stop()
            if time.monotonic() > until:
                raise TimedOut(
                    f"Jupyter said no address within {_STARTS:.0f} s.\n" + "\n".join(self._said),
                    hint="Is biohive.jupyter the right command? Try it by hand.",
                    by_hand=self._by_hand(),
                )
        if self._theirs is None:
            self._ended()
            raise Interrupted("Stopped on request.")
        return self._theirs

    def _ended(self) -> None:
        """Jupyter is over; say why."""
        status = self._running.process.wait()
        if status == LOST:
            raise self._running.lost()
        last = "\n".join(list(self._said)[-6:])
        raise Failed(
            f"`{self._biohive.part.jupyter}` ended on {self._biohive.target.host} with exit code {status}."
            + (f"\n{last}" if last else ""),
            hint="Is Jupyter there? biohive.jupyter may be another command: uvx --from jupyterlab jupyter lab",
            by_hand=self._by_hand(),
        )

    def _by_hand(self) -> tuple[str, str]:
        target, port = self._biohive.target, self.remote_port or 8888
        return (
            target.by_hand(f"{self._biohive.part.jupyter} --no-browser --port {port}"),
            target.by_hand("-N", "-L", f"localhost:{port}:localhost:{port}"),
        )

    def _open_tunnel(self, wanted: int) -> int:
        if wanted:
            if _free(wanted) and self._biohive.forward(wanted, self.remote_port):
                return wanted
            raise UsageError(f"Port {wanted} of this machine is taken.", hint="Leave --port out, or name another.")
        candidates = [self.remote_port, *(_any_free() for _ in range(_TRIES))]
        for port in candidates:
            if port >= 1024 and _free(port) and self._biohive.forward(port, self.remote_port):
                return port
        if self._running.process.poll() is not None or not self._biohive.alive():
            raise self._running.lost()
        raise Failed(
            "The tunnel could not be opened: BioHive's ssh server forwards no ports, or none is free here.",
            hint="Try it by hand, and read what ssh says.",
            by_hand=self._by_hand(),
        )

    def _wait_for_answer(self, progress: Progress) -> None:
        progress.step(f"Waiting for it to answer at localhost:{self.local_port}")
        until = time.monotonic() + _STARTS
        while not _answers(self.local_port):
            progress.check_stop()
            if self._running.process.poll() is not None:
                self._ended()
            if time.monotonic() > until:
                raise TimedOut(
                    f"Jupyter does not answer through the tunnel at localhost:{self.local_port}.",
                    hint="Does BioHive's ssh server allow forwarding? Try it by hand.",
                    by_hand=self._by_hand(),
                )
            time.sleep(0.2)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    """Whether something answers a request: a tunnel takes every connection, also where there is nothing behind it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as asked:
            asked.sendall(b"GET /api HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return bool(asked.recv(1))
    except OSError:
        return False
