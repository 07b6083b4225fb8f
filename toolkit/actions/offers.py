"""The actions by their stable names, with the inputs they take: how runbooks and diagnoses come to an action.

Making one changes nothing: it is an Action, which the gate carries out or not.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.checks.question import Input, checked
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.actions.plan import Action
    from toolkit.systems.connections import Connections


@dataclass(frozen=True, slots=True)
class Offer:
    """An action that can be had. `command` is how it is typed, with {input} where an input goes."""

    name: str
    help: str
    command: str
    make: Callable[[Connections, Mapping[str, str]], Action]
    inputs: tuple[Input, ...] = ()


def _rebuild(connections: Connections, _: Mapping[str, str]) -> Action:
    from toolkit.actions.rebuild import RebuildCache

    return RebuildCache(connections)


def _restart(connections: Connections, _: Mapping[str, str]) -> Action:
    from toolkit.actions.app.restart import RestartApp

    return RestartApp(connections)


def _flush(connections: Connections, _: Mapping[str, str]) -> Action:
    from toolkit.actions.groups.flush import FlushRedis

    return FlushRedis(connections)


def _delete(connections: Connections, inputs: Mapping[str, str]) -> Action:
    from toolkit.actions.groups.delete import DeleteGroups

    return DeleteGroups(connections, [inputs["group"]])


def _install(connections: Connections, _: Mapping[str, str]) -> Action:
    from toolkit.actions.biohive import InstallToolkit

    return InstallToolkit(connections)


OFFERS: Mapping[str, Offer] = {
    offer.name: offer
    for offer in (
        Offer(
            "cache.rebuild", "Rebuild the cache: start the cache manager's CronJob by hand.", "cache rebuild", _rebuild
        ),
        Offer("app.restart", "Restart the app's pods: they load the new default group.", "app restart", _restart),
        Offer("groups.flush", "Empty Redis altogether.", "groups flush", _flush),
        Offer(
            "groups.delete",
            "Delete a group from Redis.",
            "groups delete {group}",
            _delete,
            (Input("group", "group", "The group's name.", required=True),),
        ),
        Offer("biohive.install", "Put this version of the toolkit on BioHive.", "biohive install", _install),
    )
}


def make(name: str, connections: Connections, given: Mapping[str, str]) -> Action:
    """The action of that name. Raises UsageError for an unknown one, or for wrong inputs."""
    offer = OFFERS.get(name)
    if offer is None:
        near = difflib.get_close_matches(name, OFFERS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(OFFERS)}."
        raise UsageError(f"There is no action {name!r}.", hint=hint)
    return offer.make(connections, checked("action", name, offer.inputs, given))
