"""No secret leaves the program: not by stdout or stderr, not into a file, not onto a command line."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import Sandbox

from toolkit.cli.root import COMMANDS
from toolkit.environments import loading
from toolkit.sandbox import client
from toolkit.systems.connections import Connections
from toolkit.systems.vault.secret import Wanted

E = ("--env", "sandbox")
# Every command there is, and what its options change about what is printed.
LINES = [
    ("doctor", *E),
    ("doctor", *E, "-o", "json"),
    ("groups", "list", *E),
    ("groups", "find", "BRCA1", *E),
    ("groups", "list", *E, "-o", "json"),
    ("map", "consistency", "BRCA1", *E, "-o", "json"),
    ("groups", "show", "{group}", *E),
    ("groups", "inspect", "{group}", *E),
    ("groups", "diff", "{group}", *E),
    ("groups", "flush", *E, "--dry-run"),
    ("groups", "flush", *E, "--dry-run", "-o", "json"),
    ("groups", "delete", "{group}", *E, "--dry-run"),
    ("groups", "delete", "{group}", *E, "--yes"),
    ("groups", "flush", *E, "--yes", "--backup", "{home}/backup"),
    ("groups", "restore", "{home}/backup", *E, "--yes"),
    ("cache", "status", *E),
    ("cache", "history", *E),
    ("cache", "schedule", *E),
    ("cache", "rebuild", *E, "--dry-run"),
    ("cache", "rebuild", *E, "--yes"),
    ("image", "check", *E),
    ("image", "check", *E, "-o", "json"),
    ("app", "status", *E),
    ("app", "restart", *E, "--dry-run"),
    ("app", "restart", *E, "--yes"),
    ("why", "BRCA1", *E),
    ("runbook", "run", "why-is-a-pert-missing", "--set", "pert=BRCA1", "--yes", *E),
    ("access", "check", "tom.brandt@partner.example", *E),
    ("loader", "check", *E),
    ("loader", "plan", *E, "-o", "json"),
    ("access", "check", "ines.moreau@partner.example", *E, "-o", "json"),
    ("events", "tail", *E),
    ("events", "find", "{group}", *E, "-o", "json"),
    ("events", "lag", *E),
    ("side-panel", "check", *E),
    ("side-panel", "check", *E, "-o", "json"),
    ("logs", *E),
    ("logs", "app", "errors", "--link", *E),
    ("biohive", "status", *E),
    ("biohive", "run", "--", "doctor", *E),
    ("bucket", "ls", *E),
    ("bucket", "du", *E),
    ("bucket", "get", "{group}", *E, "--to", "{home}/got"),
    ("bucket", "rm", "{group}", *E, "--yes"),
    ("bucket", "restore", "{group}", *E, "--yes"),
    ("redis", "address", *E),
    ("redis", "token", *E),
    ("redis", "token", *E, "-o", "json"),
    ("redis", "token", *E, "--copy"),
    ("redis", "shell", *E, "--", "ping"),
    ("vault", "status", *E),
    ("vault", "login", *E),
    ("env", "list"),
    ("env", "show", *E),
    ("env", "show", *E, "-o", "json"),
    ("config", "check"),
    ("config", "path"),
    ("journal", "list"),
    ("journal", "verify"),
    ("drill", "--scenario", "redis-flushed"),
    ("drill", "hint"),
    ("drill", "status", "-o", "json"),
    ("drill", "give-up"),
    ("sandbox", "status"),
    ("sandbox", "status", "-o", "json"),
]
BROKEN = [
    ("token-rotated", ("doctor", *E)),
    ("token-rotated", ("groups", "list", *E)),
    ("token-rotated", ("redis", "shell", *E, "--", "ping")),
    ("vault-sealed", ("doctor", *E)),
    ("vault-sealed", ("redis", "token", *E)),
    ("proxy-moved", ("redis", "address", *E)),
    ("wrong-cluster", ("cache", "rebuild", *E, "--dry-run")),
]


class ProcessList:
    """Looks at every process's command line while it is watching."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> ProcessList:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for process in psutil.process_iter():
                try:
                    self.seen.add(" ".join(process.cmdline()))
                except psutil.Error:
                    continue


def secrets() -> dict[str, str]:
    """The secrets of the running sandbox, by what they are."""
    loaded = loading.load(sandbox=client.start().config_file)
    found = {}
    for name, environment in loaded.settings.environments.items():
        connections = Connections(environment, loaded.settings)
        found[f"redis token of {name}"] = connections.token().reveal()
        okta = environment.okta
        wanted = Wanted(okta.vault_path, okta.vault_field, "Okta's token", "okta.vault_path", "okta.vault_field")
        found[f"okta token of {name}"] = connections.vault.read(wanted).reveal()
        kafka = environment.kafka
        wanted = Wanted(kafka.vault_path, kafka.password_field, "its password", "kafka.vault_path", "password_field")
        found[f"kafka password of {name}"] = connections.vault.read(wanted).reveal()
        found[f"vault token of {name}"] = Path(environment.vault.token_file).read_text("utf-8").strip()
        connections.close()
    for cluster in loaded.settings.clusters.values():
        config = yaml.safe_load(Path(cluster.kubeconfig).read_text("utf-8"))
        for user in config["users"]:
            found[f"kube token of {user['name']}"] = user["user"]["token"]
    return found


def leaks(text: str, known: dict[str, str]) -> list[str]:
    return [what for what, value in known.items() if value in text]


def group(sandbox: Sandbox) -> str:
    listed = sandbox.run("groups", "list", *E, "-o", "json").json()
    return str(listed[1]["name"])


def test_the_list_knows_every_command() -> None:
    assert {line[0] for line in LINES} | {"demo", "serve"} == set(COMMANDS)


def test_no_command_lets_a_secret_out(sandbox: Sandbox) -> None:
    known = secrets()
    assert len(known) >= 4
    assert all(len(value) > 8 for value in known.values())
    values = {"group": group(sandbox), "home": str(sandbox.home)}
    with ProcessList() as processes:
        for line in LINES:
            words = [word.format(**values) for word in line]
            # What reads stdin or hands it over has to be a process of its own; the rest is quicker in this one.
            ran = sandbox.spawn(*words) if {"shell", "login"} & set(words[:2]) else sandbox.run(*words, code=None)
            assert ran.code in (0, 1, 2, 4, 5), (words, ran)
            assert not leaks(ran.out + ran.err, known), words
            assert "Traceback" not in ran.err, words
            if line[:2] == ("groups", "restore"):
                sandbox.scenario("healthy")
    assert not leaks("\n".join(processes.seen), known)
    world = sandbox.home / "state" / "sandbox"  # the sandbox's own world has to know its secrets
    for file in sandbox.home.rglob("*"):
        if file.is_file() and world not in file.parents:
            assert not leaks(file.read_bytes().decode("utf-8", "replace"), known), file


@pytest.mark.parametrize(("scenario", "line"), BROKEN)
def test_no_error_lets_a_secret_out(sandbox: Sandbox, scenario: str, line: tuple[str, ...]) -> None:
    known = secrets()
    sandbox.scenario(scenario)
    ran = sandbox.run(*line, code=None) if "shell" not in line else sandbox.spawn(*line)
    assert not leaks(ran.out + ran.err, known)
    assert "Traceback" not in ran.err


def test_a_crash_report_is_scrubbed(sandbox: Sandbox) -> None:
    from toolkit import crash

    value = next(iter(secrets().values()))
    report = crash.save(RuntimeError(f"could not AUTH {value}"), ["redis", value])
    assert value not in report
    files = list((sandbox.home / "state").glob("crash-*.txt"))
    assert files
    assert not any(value in file.read_text("utf-8") for file in files)


def test_reveal_shows_it_on_stdout_alone(sandbox: Sandbox) -> None:
    token = secrets()["redis token of sandbox"]
    ran = sandbox.spawn("redis", "token", *E, "--reveal")
    assert ran.out.strip() == token
    assert token not in ran.err
