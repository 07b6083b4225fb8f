"""configome: the YAML that holds the group auto-loader's settings, from Git, from a file, or over HTTP. Read only.

What the YAML means is read in cache/loader; what an HTTP server's refusals mean stands in configome/http.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from toolkit.errors import ConfigurationError, Failed, NotFound
from toolkit.systems.git_command import Repository, shown
from toolkit.systems.git_file import LARGEST_FILE, GitBranch

if TYPE_CHECKING:
    from toolkit.environments.loader import Configome as Part
    from toolkit.secret import Secret
    from toolkit.systems.configome.http import Page

_OF: Final = Repository("configome", "configome")


@dataclass(frozen=True, slots=True)
class Configuration:
    """configome's text. `place` is where it was read, for people; the last change and `note` are there as far as
    the source has them."""

    text: str
    place: str
    commit: str = ""
    changed_at: datetime | None = None
    note: str = ""


class Configome:
    """The configome that `part` names. `token` reads its bearer token, where it needs one; `token_by_hand` is the
    command that prints it."""

    def __init__(self, part: Part, token: Callable[[], Secret] | None = None, token_by_hand: str = "") -> None:
        self.part = part
        self.kind = part.kind or _kind(part.remote)
        self._token = token
        self._token_by_hand = token_by_hand
        self._page: Page | None = None

    @property
    def place(self) -> str:
        """Where it is, for people."""
        if self.kind == "git":
            return f"{self.part.path} on {self.part.branch}"
        return shown(self.part.remote)

    @property
    def by_hand(self) -> str:
        """The command with which one would read it."""
        if self.kind == "http":
            return self._opened().by_hand
        if self.kind == "file":
            return f"less {shlex.quote(self.part.remote)}"
        return GitBranch(_OF, self.part.remote, self.part.branch).by_hand(self.part.path)

    def read(self) -> Configuration:
        """The YAML as it is now.

        Raises ConfigurationError (not set, no clone, no such branch or path), NotFound, NotAllowed, Unreachable,
        TimedOut, Failed (too large, not text).
        """
        if not self.part.remote:
            raise ConfigurationError(
                "Where configome is, is not configured: configome.remote is empty.",
                hint="Set it under [environments.NAME.configome]: a Git address, a clone, a file, or an https URL.",
            )
        if self.kind == "http":
            return Configuration(self._opened().read(), self.place)
        if self.kind == "file":
            return Configuration(self._file(), self.place)
        branch = GitBranch(_OF, self.part.remote, self.part.branch)
        branch.check(self.part.path)
        at = branch.located()
        text = branch.text(at, self.part.path)
        last = branch.last_change(at, self.part.path)
        if last is None:
            return Configuration(text, self.place, note=at.note)
        return Configuration(text, self.place, last.commit, last.committed_at, at.note)

    def close(self) -> None:
        if self._page is not None:
            self._page.close()
            self._page = None

    def _opened(self) -> Page:
        from toolkit.systems.configome.http import Page

        if self._page is None:
            self._page = Page(self.part, self._token, self._token_by_hand)
        return self._page

    def _file(self) -> str:
        file = Path(self.part.remote).expanduser()
        try:
            if file.stat().st_size > LARGEST_FILE:
                raise Failed(f"{file} is too large to be configome.", hint="Correct configome.remote.")
            return file.read_text("utf-8")
        except FileNotFoundError:
            raise NotFound(
                f"There is no configome at {file} (configome.remote).", hint="Fetch it there, or correct the key."
            ) from None
        except OSError as error:
            raise Failed(
                f"{file} (configome.remote) cannot be read: {error.strerror}.", hint="May you read it? (ls -l)"
            ) from None
        except UnicodeDecodeError as error:
            raise Failed(
                f"{file} (configome.remote) is not UTF-8: {error.reason} at byte {error.start}.",
                hint="Is it the YAML itself? Fetch it anew.",
            ) from None


def _kind(remote: str) -> str:
    """What the address tells: a URL of a YAML file is read over HTTP, any other is a Git address."""
    if remote.startswith(("http://", "https://")):
        return "http" if urlsplit(remote).path.lower().endswith((".yaml", ".yml", ".json")) else "git"
    file = Path(remote).expanduser()
    return "file" if file.is_file() or remote.lower().endswith((".yaml", ".yml", ".json")) else "git"
