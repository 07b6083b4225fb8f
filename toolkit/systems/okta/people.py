"""What the toolkit knows of a person and of groups in Okta: frozen values read from the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """A person. `status` as Okta has it: ACTIVE, SUSPENDED, DEPROVISIONED, LOCKED_OUT, STAGED, PROVISIONED,
    PASSWORD_EXPIRED or RECOVERY. `login` is what they sign in with; `email` need not be the same."""

    id: str
    login: str
    email: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `type`: OKTA_GROUP (made in Okta), APP_GROUP (imported from an app, by its id in `source`, such as
    Google Workspace or Active Directory) or BUILT_IN (Everyone)."""

    id: str
    name: str
    type: str
    source: str = ""


def read_user(found: Mapping[str, Any]) -> User:
    """Raises KeyError, TypeError or AttributeError for what is no user."""
    profile = found["profile"]
    name = profile.get("displayName") or f"{profile.get('firstName') or ''} {profile.get('lastName') or ''}"
    return User(
        id=str(found["id"]),
        login=str(profile["login"]),
        email=str(profile.get("email") or profile["login"]),
        name=str(name).strip(),
        status=str(found["status"]),
    )


def read_group(found: Mapping[str, Any]) -> Group:
    source = found.get("source") or {}
    return Group(str(found["id"]), str(found["profile"]["name"]), str(found["type"]), str(source.get("id") or ""))
