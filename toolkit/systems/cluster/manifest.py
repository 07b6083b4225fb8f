"""An object of a cluster as YAML to be read and copied: without what only machines read, and without secrets."""

from __future__ import annotations

import re
from typing import Any, Final

from toolkit.secret import scrub
from toolkit.systems.cluster.objects import Object

HIDDEN: Final = "<not shown>"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"  # the same again, secrets and all
_SECRET_NAME: Final = re.compile(r"(?i)(passw(or)?d|token|secret|api_?key|private_?key|access_?key|credentials?)s?$")
_SECRET_OPTION: Final = re.compile(
    r"(?i)(?P<name>(?:^|[\s;&?])-{0,2}[\w.-]*(?:passw(?:or)?d|token|secret|api[_-]?key)s?[=:]\s*)(?P<value>[^\s;&]+)"
)
_IN_URL: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s:@]*:[^/\s@]+@")


def cleaned(found: Object) -> dict[str, Any]:
    """The object without managedFields, and with every value hidden that may be a secret: a Secret's data, a variable
    whose name says so, an option like --token=…, a password in a URL."""
    made: dict[str, Any] = _clean(found)
    metadata = made.get("metadata") or {}
    metadata.pop("managedFields", None)
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        del metadata["annotations"][_LAST_APPLIED]
    if made.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if key in made:
                made[key] = dict.fromkeys(made[key] or (), HIDDEN)
    return made


def as_yaml(found: Object) -> str:
    """The cleaned object, in the order in which kubectl writes it."""
    import yaml

    made = cleaned(found)
    order = {"apiVersion": 0, "kind": 1, "metadata": 2, "spec": 3, "status": 5}
    ordered = {key: made[key] for key in sorted(made, key=lambda key: (order.get(key, 4), key))}
    return scrub(yaml.safe_dump(ordered, sort_keys=False, width=100, allow_unicode=True))


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        named = str(value.get("name", ""))
        return {
            key: HIDDEN
            if key == "value" and _SECRET_NAME.search(named) and not isinstance(item, dict)
            else _clean(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return _clean_list(value)
    if isinstance(value, str):
        text = _IN_URL.sub(rf"\g<scheme>{HIDDEN}@", value)
        return _SECRET_OPTION.sub(rf"\g<name>{HIDDEN}", text)
    return value


def _clean_list(values: list[Any]) -> list[Any]:
    """A list; of words of a command, also the word after `--token`."""
    made: list[Any] = []
    hide = False
    for one in values:
        made.append(HIDDEN if hide and isinstance(one, str) else _clean(one))
        hide = isinstance(one, str) and one.startswith("-") and _SECRET_NAME.search(one) is not None
    return made
