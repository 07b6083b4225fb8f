"""BioHive: can I get in, and is what is needed there?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit import __version__, figures
from toolkit.checks.finding import Finding, Status
from toolkit.checks.question import Question
from toolkit.checks.runner import Check
from toolkit.errors import ConfigurationError, ToolkitError
from toolkit.progress import SILENT

if TYPE_CHECKING:
    from toolkit.progress import Progress
    from toolkit.systems.biohive import Connected
    from toolkit.systems.biohive.target import Target
    from toolkit.systems.biohive.there import There
    from toolkit.systems.connections import Connections

GET_UV = "curl -LsSf https://astral.sh/uv/install.sh | sh"
_LITTLE_ROOM = 5_000_000_000  # bytes: a group is 2 GB, and is written beside what is there
NONE = "this environment has no BioHive: biohive.host is empty"


def get_in(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Does ssh get me into BioHive, with nobody to ask? Facts: `configured`, `in`, `host`, `hostname`, `user`, `port`,
    `jump`, `host_key` (known, unknown, changed), `seconds`."""
    if not connections.environment.biohive.host:
        return Finding("", Status.SKIPPED, NONE, facts={"configured": False, "in": False})
    return attempt(connections)[0]


def attempt(connections: Connections, *, interactive: bool = False) -> tuple[Finding, ToolkitError | None]:
    """The finding of `get_in`, and the error that it tells of. `interactive`: ssh may ask at the terminal.

    Raises ConfigurationError.
    """
    from toolkit.systems.biohive.errors import HostKeyChanged, HostKeyUnknown

    biohive = connections.biohive
    target = biohive.target
    facts: dict[str, Any] = {
        "configured": True,
        "host": target.host,
        "hostname": target.hostname,
        "user": target.user,
        "port": target.port,
        "jump": target.jump,
        "host_key": target.host_key,
    }
    try:
        connected = biohive.connect(interactive=interactive)
    except ConfigurationError:
        raise
    except ToolkitError as problem:
        if isinstance(problem, HostKeyChanged):
            facts["host_key"] = "changed"
        elif isinstance(problem, HostKeyUnknown):
            facts["host_key"] = "unknown"
        facts |= {"in": False, "seconds": None}
        keys, by_hand = _keys(target, facts["host_key"]), problem.by_hand
        return Finding("", Status.FAIL, problem.message, problem.hint, 0.0, keys, by_hand, facts), problem
    facts |= {"in": True, "seconds": round(connected.seconds, 3), "host_key": connected.target.host_key}
    keys = _keys(target, facts["host_key"])
    return Finding("", Status.OK, words(connected), "", 0.0, keys, (target.by_hand(),), facts), None


def words(connected: Connected) -> str:
    """in as ana@bh-login001 after 0.4 s"""
    target = connected.target
    via = f" by way of {target.jump}" if target.jump else ""
    how = "over the connection that you have open" if connected.shared else f"after {connected.seconds:.1f} s"
    return f"in as {target.user} on {target.label}{via}, {how}"


def toolkit_there(connections: Connections, _: Mapping[str, str], __: Progress) -> Finding:
    """Is the toolkit on BioHive, in this version, and room for its work? Facts: `configured`, `toolkit` ("" for none),
    `toolkit_here`, `same`, `uv`, `configuration`, `jupyter`, `slurm`, `free` (bytes)."""
    if not connections.environment.biohive.host:
        return Finding("", Status.SKIPPED, NONE, facts={"configured": False})
    return there_finding(connections, connections.biohive.look())


def there_finding(connections: Connections, there: There) -> Finding:
    """What a look around came to."""
    target = connections.biohive.target
    same = there.toolkit_version == __version__
    facts = {
        "configured": True,
        "toolkit": there.toolkit_version,
        "toolkit_here": __version__,
        "same": same,
        "uv": there.uv_version,
        "configuration": there.configuration,
        "jupyter": there.jupyter,
        "slurm": there.slurm,
        "free": there.room[0].free if there.room else None,
    }
    evidence = tuple(f"{figures.size(room.free)} free at {room.place}" for room in there.room)
    by_hand = (target.by_hand("toolkit --version; df -h ."),)
    tight = [room for room in there.room if room.free < _LITTLE_ROOM]
    if not there.toolkit:
        uv = "uv is there" if there.uv else "neither is uv"
        hint = "Put it there: toolkit biohive install" if there.uv else f"uv first: {target.by_hand(GET_UV)}"
        return Finding("", Status.WARN, f"no toolkit there; {uv}", hint, 0.0, evidence, by_hand, facts)
    if not same:
        summary = f"toolkit {there.toolkit_version or '?'} there, {__version__} here"
        return Finding(
            "", Status.WARN, summary, "Bring it to this version: toolkit biohive install", 0.0, evidence, by_hand, facts
        )
    summary = f"toolkit {there.toolkit_version}, as here"
    if tight:
        left = f"only {figures.size(tight[0].free)} free at {tight[0].place}"
        hint = "Make room, or set biohive.directory to a project's folder; a full home directory locks you out."
        return Finding("", Status.WARN, f"{summary}; {left}", hint, 0.0, evidence, by_hand, facts)
    if not there.configuration:
        hint = "It has its own configuration and logins there: toolkit biohive run -- config init"
        return Finding("", Status.WARN, f"{summary}; not configured there", hint, 0.0, evidence, by_hand, facts)
    return Finding("", Status.OK, summary, "", 0.0, evidence, by_hand, facts)


def _keys(target: Target, host_key: str) -> tuple[str, ...]:
    """What ssh goes by, for people."""
    if target.agent_keys is None:
        agent = "no ssh agent runs"
    else:
        agent = f"the ssh agent holds {target.agent_keys} key{'' if target.agent_keys == 1 else 's'}"
    return (f"host key {host_key}", f"key files: {', '.join(target.keys_here) or 'none'}", agent)


def checks(connections: Connections) -> tuple[Check, Check]:
    """Both, for the runner: the second is not asked where the first fails."""
    way_in, there = (
        Check(one.name, partial(one.ask, connections, {}, SILENT), limit=one.limit, when_broken=Status.UNKNOWN)
        for one in QUESTIONS
    )
    return way_in, replace(there, needs=(way_in.name,))


QUESTIONS = (
    Question("biohive", "Does ssh get me into BioHive?", get_in, limit=40.0),
    Question("biohive-toolkit", "Is the toolkit on BioHive, in this version?", toolkit_there, limit=60.0),
)
