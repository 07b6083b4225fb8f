"""Where runbooks are: those that come with the toolkit, and the user's own folders (TOOLKIT_RUNBOOKS).

A runbook in a folder of the user's own goes before a shipped one of the same name.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from toolkit.errors import ConfigurationError, NotFound, UsageError
from toolkit.walkthrough.page import Runbook
from toolkit.walkthrough.parsing import parse


def shipped() -> Path:
    """The folder of the shipped runbooks: in the package of an installed toolkit, beside it in a clone."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_runbooks"
    return installed if installed.is_dir() else package.parent / "runbooks"


def folders() -> list[Path]:
    """All folders with runbooks, the user's own first: those that TOOLKIT_RUNBOOKS names, as PATH does."""
    named = [Path(part).expanduser() for part in os.environ.get("TOOLKIT_RUNBOOKS", "").split(os.pathsep) if part]
    for folder in named:
        if not folder.is_dir():
            raise ConfigurationError(
                f"TOOLKIT_RUNBOOKS names {folder}, which is no folder.", hint="Make it, or correct the variable."
            )
    return [*named, shipped()]


@dataclass(frozen=True)
class Library:
    """The runbooks of `folders`, by name (the file's, without `.md`). Each is read when it is asked for."""

    folders: Sequence[Path]

    def files(self) -> dict[str, Path]:
        """Every runbook's file by its name, sorted by name."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for file in sorted(folder.glob("*.md")):
                if file.stem.lower() != "readme":
                    found.setdefault(file.stem, file)
        return dict(sorted(found.items()))

    def runbook(self, name: str) -> Runbook:
        """The runbook of that name, or of that file. Raises NotFound with the nearest; UsageError where it is wrong."""
        files = self.files()
        file = files.get(name.removesuffix(".md"))
        if file is None and name.endswith(".md") and Path(name).is_file():
            file = Path(name)
        if file is None:
            near = difflib.get_close_matches(name, files, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "`toolkit runbook list` shows them all."
            raise NotFound(f"There is no runbook {name!r}.", hint=hint)
        return sound(read_file(file), str(file))


def library() -> Library:
    """All runbooks that this user has."""
    return Library(folders())


def read_file(file: Path) -> Runbook:
    """The runbook in `file`, with its problems. Raises UsageError where the file cannot be read."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no UTF-8 text.") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    return _parsed(text, file.stem)


@lru_cache(maxsize=256)
def _parsed(text: str, name: str) -> Runbook:
    """Kept: the app shows the catalogue again and again, and all of it takes half a second to parse."""
    return parse(text, name)


def sound(runbook: Runbook, origin: str) -> Runbook:
    """The runbook, if its form is right. Raises UsageError that names the first mistake."""
    if runbook.problems:
        first = runbook.problems[0]
        raise UsageError(
            f"{origin}:{first.place.line}:{first.place.column}: {first.message}",
            hint=f"{len(runbook.problems)} such in all: toolkit runbook lint {origin}",
        )
    return runbook
