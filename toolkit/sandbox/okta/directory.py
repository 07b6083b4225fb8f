"""The people and groups of the sandbox's Okta, as its API describes them.

Groups come from three places: made in Okta, imported from Google Workspace (with the same names: that is the trap), and
the built-in Everyone.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Object = dict[str, Any]

USERS_GROUP: Final = "rp006-neuro-users"
ON_CALL_GROUP: Final = "mapapp-on-call"
NEWCOMER: Final = "lena.vogt@partner.example"

_ALPHABET: Final = string.ascii_letters + string.digits
_OKTA, _GOOGLE, _BUILT_IN = "OKTA_GROUP", "APP_GROUP", "BUILT_IN"
_LABEL: Final = "Google Workspace"


def made_up_id(prefix: str) -> str:
    """An id as Okta makes them: three characters that say of what, and seventeen of no meaning."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))


@dataclass
class User:
    login: str
    first: str
    last: str
    status: str = "ACTIVE"
    email: str = ""
    id: str = field(default_factory=lambda: made_up_id("00u"))


@dataclass
class Group:
    """`members` are ids of users; `source` is the app that it was imported from."""

    name: str
    type: str
    description: str = ""
    source: str = ""
    members: set[str] = field(default_factory=set)
    id: str = field(default_factory=lambda: made_up_id("00g"))


class Directory:
    """Who is in which group. `url` is where its API is, for the links in its answers."""

    def __init__(self) -> None:
        self.url = ""
        self.google = made_up_id("0oa")
        self.since = datetime.now(UTC) - timedelta(days=211)
        self.users: list[User] = []
        self.groups: list[Group] = []
        self.reset()

    def reset(self) -> None:
        """As it should be, and as it usually is: with somebody suspended, and some in none of the app's groups."""
        self.users, self.groups = [], []
        self._group("Everyone", _BUILT_IN, "All users in your organization")
        self._group(USERS_GROUP, _OKTA, "RP006 (neuro): may open the map")
        self._group(ON_CALL_GROUP, _OKTA, "MapApp on-call")
        self._group("roche-partners", _OKTA, "Partners at Roche")
        self._group(USERS_GROUP, _GOOGLE, "Mailing list of RP006's users")
        self._group("rp006-news", _GOOGLE, "Mailing list")
        self.join("ines.moreau@partner.example", "Ines", "Moreau", [USERS_GROUP, "roche-partners"], ["rp006-news"])
        self.join("tom.brandt@partner.example", "Tom", "Brandt", ["roche-partners"], [USERS_GROUP])
        self.join("li.chen@partner.example", "Li", "Chen", ["roche-partners"], [])
        self.join("paul.weber@partner.example", "Paul", "Weber", [USERS_GROUP], [USERS_GROUP], status="SUSPENDED")
        self.join("eva.kraus@partner.example", "Eva", "Kraus", [], [], status="DEPROVISIONED")
        self.join("u4711@partner.example", "Jo", "Okafor", [USERS_GROUP], [], email="jo.okafor@partner.example")

    def join(
        self, login: str, first: str, last: str, okta: list[str], google: list[str], *, status: str = "ACTIVE",
        email: str = "",
    ) -> User:  # fmt: skip
        """A new person, in these groups of Okta's and these of Google Workspace."""
        user = User(login, first, last, status, email or login)
        self.users.append(user)
        for group in self.groups:
            everyone = group.type == _BUILT_IN and status != "DEPROVISIONED"
            if everyone or group.name in {_OKTA: okta, _GOOGLE: google}.get(group.type, []):
                group.members.add(user.id)
        return user

    def user(self, key: str) -> User | None:
        """By id, login, or the login's part before the @ where that is nobody else's."""
        for user in self.users:
            if key == user.id or key.lower() == user.login.lower():
                return user
        short = [user for user in self.users if user.login.split("@")[0].lower() == key.lower()]
        return short[0] if len(short) == 1 else None

    def groups_of(self, user: User) -> list[Group]:
        return [group for group in self.groups if user.id in group.members]

    # -- as the API has them

    def user_document(self, user: User) -> Object:
        stamp = _stamp(self.since)
        return {
            "id": user.id,
            "status": user.status,
            "created": stamp,
            "activated": stamp,
            "statusChanged": stamp,
            "lastLogin": None,
            "lastUpdated": stamp,
            "passwordChanged": stamp,
            "type": {"id": "oty0000000000000000a"},
            "profile": {
                "firstName": user.first,
                "lastName": user.last,
                "mobilePhone": None,
                "secondEmail": None,
                "login": user.login,
                "email": user.email,
            },
            "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
            "_links": {"self": {"href": f"{self.url}/api/v1/users/{user.id}"}},
        }

    def group_document(self, group: Group) -> Object:
        href = f"{self.url}/api/v1/groups/{group.id}"
        document: Object = {
            "id": group.id,
            "created": _stamp(self.since),
            "lastUpdated": _stamp(self.since),
            "lastMembershipUpdated": _stamp(self.since),
            "objectClass": ["okta:user_group"],
            "type": group.type,
            "profile": {"name": group.name, "description": group.description},
            "_links": {"users": {"href": f"{href}/users"}, "apps": {"href": f"{href}/apps"}},
        }
        if group.source:
            document["source"] = {"id": group.source}
            document["_links"]["source"] = {"href": f"{self.url}/api/v1/apps/{group.source}"}
        return document

    def app_document(self) -> Object:
        return {
            "id": self.google,
            "name": "google",
            "label": _LABEL,
            "status": "ACTIVE",
            "signOnMode": "SAML_2_0",
            "features": ["GROUP_PUSH", "IMPORT_NEW_USERS"],
        }

    def _group(self, name: str, kind: str, description: str) -> None:
        self.groups.append(Group(name, kind, description, self.google if kind == _GOOGLE else ""))


def _stamp(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.000Z"
