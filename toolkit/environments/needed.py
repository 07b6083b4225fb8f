"""A part of an environment that a question cannot do without."""

from __future__ import annotations

from typing import TypeVar

from toolkit.environments import model
from toolkit.environments.part import Part
from toolkit.errors import ConfigurationError

P = TypeVar("P", bound=Part)


def needed(environment: model.Environment, name: str, part: P, what: str, *keys: str) -> P:
    """`part`, which has that `name` in the configuration. Raises ConfigurationError where one of `keys` is not set:
    `what` is then what nobody knows, "Where the cache manager is"."""
    for key in keys:
        if not getattr(part, key):
            raise ConfigurationError(
                f"{what}, is not configured: environments.{environment.name}.{name}.{key} is empty.",
                hint="Set it; `toolkit config check` lists all that is open.",
            )
    return part
