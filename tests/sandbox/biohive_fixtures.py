"""BioHive for the tests: a real sshd on the loopback with a home of its own, reached by the real ssh, which has a
configuration of its own. Nothing of the developer's ~/.ssh is read.

Where there is no sshd (Debian: openssh-server), the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

SSHD = shutil.which("sshd") or next((path for path in ("/usr/sbin/sshd", "/sbin/sshd") if Path(path).is_file()), None)
needs_sshd = pytest.mark.skipif(
    SSHD is None, reason="NO sshd ON THIS MACHINE: nothing of BioHive is tested (Debian: apt install openssh-server)"
)
E = ("--env", "lab")


@dataclass
class Machine:
    """A login node: `remote` is the home directory there, `config` the ssh configuration of the person here."""

    folder: Path
    remote: Path
    config: Path
    port: int
    pid: int

    def restart(self, **settings: str) -> None:
        """The same machine with other settings of its sshd ("Name": "value")."""
        self.stop()
        self.start(**settings)

    def start(self, **settings: str) -> None:
        assert SSHD is not None
        lines = {
            "Port": str(self.port),
            "ListenAddress": "127.0.0.1",
            "HostKey": str(self.folder / "host_key"),
            "AuthorizedKeysFile": str(self.folder / "authorized_keys"),
            "PidFile": str(self.folder / "pid"),
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "PrintMotd": "no",
            "Subsystem": "sftp internal-sftp",
            **settings,
        }
        sets = " ".join(f'{name}="{value}"' for name, value in self.variables().items())
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()) + f"SetEnv {sets}\n")
        subprocess.run([SSHD, "-f", str(config), "-E", str(self.folder / "sshd.log")], check=True, timeout=20)
        until_true(lambda: (self.folder / "pid").is_file() and answers(self.port), "sshd answers")
        self.pid = int((self.folder / "pid").read_text())

    def variables(self) -> dict[str, str]:
        """What a session there has: a home of its own, and what uv needs not to fetch all anew."""
        uv = Path(shutil.which("uv") or sys.executable).parent
        found = {
            "HOME": str(self.remote),
            "PATH": f"{self.folder / 'bin'}:{uv}:/usr/local/bin:/usr/bin:/bin",
            "UV_PYTHON_PREFERENCE": "only-system",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": uv_cache(),
            "XDG_CACHE_HOME": str(self.remote / ".cache"),
        }
        passed = {name: value for name, value in os.environ.items() if name in PASSED}
        return {**found, **passed}

    def stop(self) -> None:
        """The listening sshd ends, and what it serves."""
        if not self.pid:
            return
        try:
            process = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return
        children = process.children(recursive=True)
        process.terminate()
        process.wait(10)
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        self.pid = 0
        (self.folder / "pid").unlink(missing_ok=True)

    def sessions(self) -> list[psutil.Process]:
        """The sshd that serves each connection."""
        return psutil.Process(self.pid).children()

    def cut(self) -> None:
        """Every connection ends at once, as when a cable is pulled or the node goes down."""
        for session in psutil.Process(self.pid).children(recursive=True):
            if session.name().startswith("sshd"):
                session.kill()

    def known_hosts(self, text: str | None = None) -> None:
        """What the person's known_hosts holds; without `text` this machine's own key."""
        key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}\n" if text is None else text)

    def configure(self, home: Path, **part: str) -> None:
        """`lab` is configured as the one environment of the person here."""
        values = {"host": "bio", "ssh_config": str(self.config), "timeout_seconds": "5.0", **part}
        lines = [f"{key} = {value if key == 'timeout_seconds' else repr(value)}" for key, value in values.items()]
        file = home / "config" / "toolkit.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("[environments.lab]\ntitle = 'Lab'\n[environments.lab.biohive]\n" + "\n".join(lines) + "\n")

    def program(self, name: str, text: str) -> Path:
        """A program on the PATH there."""
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file


PASSED = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_INDEX",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "https_proxy",
    "UV_FIND_LINKS",
)


def uv_cache() -> str:
    done = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=False, timeout=20)
    return done.stdout.strip()


def key(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True, timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as asked:
            return asked.recv(4).startswith(b"SSH")
    except OSError:
        return False


def until_true(asked: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < until, f"never came true: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine runs once for a module; `machine` puts it in order for each test."""
    folder = tmp_path_factory.mktemp("biohive")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # what sshd asks for when it is root's
    key(folder / "host_key")
    key(folder / "id")
    shutil.copy(folder / "id.pub", folder / "authorized_keys")
    made = Machine(folder, folder / "remote", folder / "ssh_config", free_port(), 0)
    made.remote.mkdir()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@dataclass
class Started:
    """`toolkit …` in a process of its own, under way. With `terminal` all its streams are one."""

    process: subprocess.Popen[bytes]
    terminal: int | None = None
    said: bytes = b""

    def until(self, text: str) -> None:
        """Read until it has said `text`."""
        stream = self.terminal if self.terminal is not None else self.process.stdout.fileno()  # type: ignore[union-attr]
        until = time.monotonic() + 30
        while text.encode() not in self.said:
            assert time.monotonic() < until, self.said
            ready, _, _ = select.select([stream], [], [], 1)
            if ready:
                try:
                    block = os.read(stream, 4096)
                except OSError:  # the other end of the terminal is closed
                    block = b""
                assert block, self.said
                self.said += block

    def end(self) -> tuple[int, str]:
        """Its exit code, and all that it said on stdout (stderr too at a terminal)."""
        if self.terminal is None:
            rest, err = self.process.communicate(timeout=40)
            self.err = err.decode()
            return self.process.returncode, (self.said + rest).decode()
        while True:
            try:
                block = os.read(self.terminal, 4096)
            except OSError:
                block = b""
            if not block:
                break
            self.said += block
        os.close(self.terminal)
        return self.process.wait(40), self.said.decode()


@contextlib.contextmanager
def started(*words: str, terminal: bool = False) -> Iterator[Started]:
    """Type `toolkit WORDS` and look on."""
    line = [sys.executable, "-m", "toolkit", *words]
    if terminal:
        mine, theirs = pty.openpty()
        process = subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_own_terminal)
        os.close(theirs)
        made = Started(process, mine)
    else:
        made = Started(subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        for stream in (made.process.stdout, made.process.stderr):
            if stream is not None:
                stream.close()


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def connections_left(machine: Machine) -> list[str]:
    """The ssh processes of this test that still run here."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if line[:1] == ["ssh"] and str(machine.config) in line and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(line))
    return found


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def machine(node: Machine, home: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The login node, up, its key known, the person's key taken there, `lab` configured."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    node.config.write_text(
        f"Host bio\n  HostName 127.0.0.1\n  Port {node.port}\n  IdentityFile {node.folder / 'id'}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {node.folder / 'known_hosts'}\n  GlobalKnownHostsFile /dev/null\n"
    )
    node.known_hosts()
    shutil.rmtree(node.folder / "bin", ignore_errors=True)
    shutil.rmtree(node.remote)
    node.remote.mkdir()
    node.configure(home)
    return node
