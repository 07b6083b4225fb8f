"""From what a person types to names in the bucket, and from names in the bucket to files here. No network here.

A name in a bucket is any text; only by custom do its slashes make folders. So a prefix is never enough to say what
somebody means (`group-1` is also how `group-10/` begins), and a name is never a safe path on this machine.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass

from toolkit.errors import Refused, UsageError

_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_GENERATION = re.compile(r"#(\d{10,})")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means: all of the bucket (""), a folder ("group-1/"), or a name that may be a folder or an object.

    `generation` was typed behind a "#" (0: it was not). `only`: the object of that name alone, never a folder.
    """

    path: str
    generation: int = 0
    only: bool = False

    @property
    def whole(self) -> bool:
        return not self.path

    @property
    def prefix(self) -> str:
        """How the names inside the folder begin."""
        return self.path if self.whole or self.path.endswith("/") else self.path + "/"

    @property
    def name(self) -> str | None:
        """The object it may be, None where it can only be a folder."""
        if self.only:
            return self.path
        return None if self.whole or self.path.endswith("/") else self.path

    @property
    def above(self) -> str:
        """The folder that it lies in, "" or with a slash at the end."""
        return self.path[: self.path.rstrip("/").rfind("/") + 1]

    def means(self, name: str) -> bool:
        """Whether the object called `name` is meant: it is that object, or lies in that folder."""
        return name == self.path or (not self.only and name.startswith(self.prefix))


def target(text: str, bucket: str) -> Target:
    """What `text` means in `bucket`: a name, a folder, or `gs://bucket/…`; "", "/" and `gs://bucket` mean all of it.

    Raises Refused for a URL of another bucket, UsageError for what is no name.
    """
    path = text
    if "\0" in text or "\r" in text or "\n" in text:
        raise UsageError(f"{shown(text)!r} cannot be a path in a bucket: it holds a line break or a zero byte.")
    if re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        scheme, _, rest = text.partition("://")
        named, _, path = rest.partition("/")
        if scheme.lower() != "gs" or not named:
            raise UsageError(f"{shown(text)} is not a path in a bucket.", hint=f"Write gs://{bucket}/PATH, or PATH.")
        if named != bucket:
            raise Refused(
                f"{shown(text)} is in the bucket {named!r}, this environment's bucket is {bucket!r}.",
                hint="Is it the right environment? --env names another; `toolkit env show` shows its bucket.",
            )
    else:
        path = text.removeprefix("/")
    return Target(path)


def target_with_generation(text: str, bucket: str) -> Target:
    """As `target`, and `PATH#GENERATION` means that generation of the object, as gcloud writes it."""
    found = _GENERATION.search(text)
    if found and found.end() == len(text):
        plain = target(text[: found.start()], bucket)
        if plain.name is not None:
            return Target(plain.path, int(found[1]))
    return target(text, bucket)


def local_parts(name: str) -> tuple[str, ...]:
    """The object's name as parts of a relative path that stays where it is put, on every kind of machine.

    Raises Refused with the reason where there is none.
    """
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise Refused("its name is an absolute path")
    if "\\" in name:
        raise Refused("its name holds a backslash, which is a folder's mark on some machines")
    parts = tuple(name.split("/"))
    for part in parts:
        if part in ("", ".", ".."):
            raise Refused("its name holds an empty, '.' or '..' folder")
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in part):
            raise Refused("its name holds a control character")
        if _DEVICES.fullmatch(part):
            raise Refused(f"its name holds {part!r}, which is a device on some machines")
        if os.name == "nt" and (part[-1] in " ." or any(letter in '<>:"|?*' for letter in part)):
            raise Refused("its name holds a character that this machine's files cannot have")
    return parts


def shown(name: str) -> str:
    """A name for people: characters that would steer a terminal are written out."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)


def argument(text: str) -> str:
    """A text as one word for the shell, in a form that can be shown and typed."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + shown(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"
