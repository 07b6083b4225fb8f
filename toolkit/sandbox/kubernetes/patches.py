"""The patches a Kubernetes API takes: JSON patch, merge patch, and an approximation of strategic merge and apply.

Strategic merge here: a list of objects that all have a `name` (containers, env) or `type` (conditions) is merged by it;
any other list is replaced. Server-side apply is taken as a strategic merge; nobody's field ownership is kept.
"""

from __future__ import annotations

from typing import Any, Literal

from toolkit.sandbox.kubernetes.resources import Object, bad_request

How = Literal["json", "merge", "strategic", "apply"]

BY_CONTENT_TYPE: dict[str, How] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


def apply(target: Object, change: object, how: How) -> Object:
    """`target` with `change` applied; `target` is used up."""
    if how == "json":
        if not isinstance(change, list):
            raise bad_request("a JSON patch is a list of operations")
        for operation in change:
            _operate(target, operation)
        return target
    if not isinstance(change, dict):
        raise bad_request("a merge patch is an object")
    return _merged(target, change, by_key=how != "merge")


def _merged(target: Object, change: Object, *, by_key: bool) -> Object:
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            before = target.get(key)
            target[key] = _merged(before if isinstance(before, dict) else {}, value, by_key=by_key)
        elif by_key and isinstance(value, list) and isinstance(target.get(key), list):
            target[key] = _merged_list(target[key], value)
        else:
            target[key] = value
    return target


def _merged_list(before: list[Any], change: list[Any]) -> list[Any]:
    for key in ("name", "type"):
        if all(isinstance(item, dict) and key in item for item in (*before, *change)):
            found = {item[key]: item for item in before}
            for item in change:
                if item.get("$patch") == "delete":
                    found.pop(item[key], None)
                else:
                    found[item[key]] = _merged(found.get(item[key], {}), item, by_key=True)
            return [*found.values()]
    return change


def _operate(target: Object, operation: Object) -> None:
    try:
        path = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        what = operation["op"]
        parent: Any = target
        for part in path[:-1]:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        last: Any = path[-1]
        if isinstance(parent, list):
            last = len(parent) if last == "-" else int(last)
        if what == "remove":
            del parent[last]
        elif what == "add" and isinstance(parent, list):
            parent.insert(last, operation["value"])
        elif what in ("add", "replace"):
            parent[last] = operation["value"]
        elif what == "test":
            if parent[last] != operation["value"]:
                raise bad_request(f"the test of {operation['path']} failed")
        else:
            raise bad_request(f"the operation {what!r} is not known here")
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise bad_request(f"the JSON patch does not fit: {error}") from error
