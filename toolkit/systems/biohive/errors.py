"""What ssh says when it does not get in, told as one of our errors; and what a connection that was cut comes to.

The sentences are OpenSSH's own, of 7.6 and later; they are not translated.
"""

from __future__ import annotations

import re
from typing import Final

from toolkit.errors import ConfigurationError, NotAllowed, TimedOut, ToolkitError, Unreachable
from toolkit.secret import scrub
from toolkit.systems.biohive.target import Target
from toolkit.systems.bucket.names import shown

_LONGEST: Final = 300
_NOISE: Final = re.compile(r"^(Warning: Permanently added|Pseudo-terminal will not|debug\d:|Control socket connect)")
_ASK: Final = "those who run BioHive"


class HostKeyUnknown(NotAllowed):
    """Nobody has said yet that this host is the one that is meant."""


class HostKeyChanged(NotAllowed):
    """The host shows another key than the one that was noted: another machine, or somebody in between."""


class KeyRefused(NotAllowed):
    """The host is the right one, and does not take any of our keys."""


class ConnectionCut(Unreachable):
    """It was connected, and then no more. What ran there was under way."""


def why_not(target: Target, said: str) -> ToolkitError:
    """The error for what ssh wrote when it ended with 255."""
    where, by_hand = f"BioHive at {target.label}", (target.by_hand(),)
    said = scrub(said).replace("\r", "")
    lines = [shown(line) for line in said.splitlines() if line.strip() and not _NOISE.match(line)]
    text = "\n".join(lines)
    last = (lines[-1] if lines else "ssh gave no reason")[:_LONGEST]

    def says(*words: str) -> bool:
        return any(word.lower() in text.lower() for word in words)

    if says("REMOTE HOST IDENTIFICATION HAS CHANGED", "host key for", "has changed and you have requested"):
        fingerprint = re.search(r"SHA256:[A-Za-z0-9+/]+", text)
        return HostKeyChanged(
            f"{where} shows another host key than the one noted for it"
            + (f": now {fingerprint[0]}." if fingerprint else ".")
            + "\nIt was set up anew, or somebody stands in between.",
            hint=f"Ask {_ASK} whether this fingerprint is right. If so, forget the old key and connect by hand.",
            by_hand=(f"ssh-keygen -R {target.known_as}", *by_hand),
        )
    if says("Host key verification failed", "No host key is known", "host key is known for"):
        return HostKeyUnknown(
            f"{where} has a host key that is not known on this machine.",
            hint=f"Connect once by hand, compare the fingerprint that ssh shows with the one {_ASK} give, say yes.",
            by_hand=by_hand,
        )
    if says("UNPROTECTED PRIVATE KEY FILE", "bad permissions"):
        return KeyRefused(
            f"ssh does not use your key for {where}: others may read its file.",
            hint="Take their rights away: chmod 600 on the key's file.",
            by_hand=(*(f"chmod 600 {file}" for file in target.keys_here[:1]), *by_hand),
        )
    if says("Too many authentication failures"):
        return KeyRefused(
            f"{where} was offered too many keys, and hung up before the right one.",
            hint="Name the one key in your ssh configuration: IdentityFile and IdentitiesOnly yes.",
            by_hand=(*by_hand, "ssh-add -l"),
        )
    if says("Permission denied", "sign_and_send_pubkey", "agent refused"):
        return KeyRefused(
            f"{where} does not let {target.user} in: {last}",
            hint=f"{_key_hint(target)} If the key is right, ask {_ASK} to put it there.",
            by_hand=(*by_hand, "ssh-add -l"),
        )
    if says("Bad configuration option", "Bad owner or permissions on", "terminating,", "Can't open user config file"):
        return ConfigurationError(
            f"ssh does not take its configuration: {last}", hint="Correct that line of it.", by_hand=by_hand
        )
    if says("Could not resolve hostname", "Name or service not known", "nodename nor servname"):
        return Unreachable(
            f"{where}: nobody knows that name.",
            hint="Is your VPN up? Is biohive.host right? It may be an alias of your ssh configuration.",
            by_hand=(*by_hand, f"ssh -G {target.host}"),
        )
    if says("timed out", "timeout"):
        return TimedOut(
            f"{where} does not answer: {last}",
            hint="It hangs rather than refuses: is your VPN up?",
            by_hand=by_hand,
        )
    if says("Connection refused"):
        return Unreachable(
            f"{where} refuses the connection: there is no ssh server at {target.hostname}:{target.port}.",
            hint="Is it down for maintenance? Are host and port right?",
            by_hand=by_hand,
        )
    return Unreachable(f"{where} cannot be reached: {last}", hint="Is your VPN up? Try it by hand.", by_hand=by_hand)


def hangs(target: Target, seconds: float) -> TimedOut:
    return TimedOut(
        f"BioHive at {target.label} took the connection, and then did not answer for {seconds:.0f} s.",
        hint="A login node under load, or a home directory that hangs: try it by hand.",
        by_hand=(target.by_hand(),),
    )


def cut(target: Target, doing: str, *, hint: str = "") -> ConnectionCut:
    return ConnectionCut(
        f"The connection to BioHive at {target.label} was cut while {doing}.",
        hint=hint or "Is your VPN still up? The same command again begins anew.",
        by_hand=(target.by_hand(),),
    )


def _key_hint(target: Target) -> str:
    """What is known on this side of the keys that were offered."""
    if target.agent_keys:
        agent = f"Your ssh agent holds {target.agent_keys} key{'' if target.agent_keys == 1 else 's'}"
    elif target.agent_keys == 0:
        agent = "Your ssh agent holds no key (ssh-add adds one)"
    else:
        agent = "No ssh agent runs"
    if target.keys_here:
        return f"{agent}; key files here: {', '.join(target.keys_here)}."
    return f"{agent}, and there is none of the key files that ssh would try."
