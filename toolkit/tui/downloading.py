"""The download of a group: what a typed line means, and the transfer that brings it."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from toolkit.errors import UsageError
from toolkit.progress import Progress
from toolkit.tui.transfer import Arrived, Came, Transfer
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.cache.download import FrameFile, GroupDownload
    from toolkit.tui.session import Session

LayerName = Literal["L2", "L3"]
_OPTIONS: Final = ("--layer", "--frame")
_LAYERS: Final = {"L2": "Redis", "L3": "the bucket"}


@dataclass(frozen=True)
class DownloadQuery:
    """What to bring, and where to: a folder of the group's name is made in `to`."""

    group: str
    to: Path
    layer: LayerName = "L3"
    frames: tuple[str, ...] = ()
    overwrite: bool = False

    def command(self, environment: str) -> str:
        """The command that does the same."""
        words = ["toolkit", "groups", "download", self.group, "--to", str(self.to), "--layer", self.layer.lower()]
        for frame in self.frames:
            words += ["--frame", frame]
        return shlex.join([*words, *(["--overwrite"] if self.overwrite else []), "--env", environment])


def read(group: str, text: str) -> DownloadQuery:
    """What a typed line asks for: `DIR --layer l2 --frame genes`. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("A quotation mark is not closed.") from None
    places: list[str] = []
    frames: list[str] = []
    layer: LayerName = "L3"
    rest = iter(words)
    for word in rest:
        option, given, value = word.partition("=")
        if not option.startswith("--"):
            places.append(word)
            continue
        if option not in _OPTIONS:
            near = difflib.get_close_matches(option, _OPTIONS, n=1, cutoff=0.5)
            raise UsageError(f"There is no {option} here" + (f"; did you mean {near[0]}?" if near else "."))
        value = value if given else next(rest, "")
        if option == "--frame" and value:
            frames.append(value)
        elif option == "--layer" and value.upper() in ("L2", "L3"):
            layer = "L2" if value.upper() == "L2" else "L3"
        else:
            raise UsageError("--layer is l2 (Redis) or l3 (the bucket)." if option == "--layer" else "Name a frame.")
    return DownloadQuery(group, folder(places), layer, tuple(frames))


def folder(typed: Sequence[str]) -> Path:
    """The folder that the words of a typed line name. Raises UsageError."""
    if len(typed) != 1:
        raise UsageError("Name one folder." if not typed else "A folder whose name holds a space is put in quotes.")
    try:
        to = Path(typed[0]).expanduser().absolute()
        wrong = to.exists() and not to.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"That cannot be a folder: {error}.") from None
    if wrong:
        raise UsageError(f"{foreign(str(to))} is a file, no folder.")
    return to


def transfer(session: Session, query: DownloadQuery) -> Transfer:
    """The transfer that brings it; not started yet."""

    def work(progress: Progress, overwrite: bool) -> Arrived:
        return arrived(session.core.download(replace(query, overwrite=overwrite), progress))

    plain = replace(query, overwrite=False)
    named = f"{query.group} from {_LAYERS[query.layer]}" + "".join(f", {frame}" for frame in query.frames)
    here = session.environment.name
    return Transfer(
        named,
        work,
        query.to / query.group,
        environment=here,
        command=plain.command(here),
        overwrite=query.overwrite,
    )


def arrived(result: GroupDownload) -> Arrived:
    """What came, as it is told."""
    from toolkit.cache.download import words

    compared = words.compared(result)
    return Arrived(
        words.headline(result),
        result.folder,
        tuple(map(_came, result.frames)),
        "each checked by its CRC32C" if any(file.crc32c for file in result.frames) else "",
        (*(text for well, text in compared if not well), *result.notes),
        tuple(text for well, text in compared if well),
        words.how_to_open(result),
    )


def _came(file: FrameFile) -> Came:
    outcome = "failed" if file.outcome == "to come" else file.outcome
    return Came(file.file or file.frame, outcome, file.bytes, file.crc32c, file.why, file.differs)
