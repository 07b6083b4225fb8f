"""The files of the drill that is going on and of the last one: written whole or not at all, for several terminals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from toolkit import paths
from toolkit.drills.drill import Drill, Phase, Typed
from toolkit.errors import Failed, NotFound, Refused

_PATIENCE = 10.0  # seconds


def file() -> Path:
    """Of the drill that is going on: it is there only as long."""
    return paths.state() / "drill.json"


def over_file() -> Path:
    return paths.state() / "drill.over.json"


def over() -> Drill | None:
    """The last drill that came to its end. Raises Failed where its file cannot be read."""
    return _read(over_file())


def going_on() -> Drill | None:
    """The drill that is not over; None where there is none. Raises Failed where its file cannot be read."""
    found = _read(file())
    if found is None:
        return None
    ended = _read(over_file())
    return found if ended is None or ended.id != found.id else None  # it ended, and its process was killed just then


def refuse_beside(what: str) -> None:
    """Raises Refused while a drill is going on: `what` would take its case away."""
    if going_on() is not None:
        raise Refused(
            f"A drill is going on, and the sandbox is in its case: {what}.",
            hint="Solve it, or end it first: toolkit drill give-up",
        )


def needed() -> Drill:
    """The drill that somebody is at work on. Raises NotFound; Refused for one that was cut off while it was begun."""
    found = going_on()
    if found is None:
        raise NotFound("No drill is going on.", hint="Begin one: toolkit drill")
    if found.phase is Phase.PREPARING:
        raise Refused("The drill was cut off while it was being prepared.", hint="Go on with it: toolkit drill")
    return found


def claim(drill: Drill) -> Drill | None:
    """Write a new drill down, unless one is going on: that one is given back then."""
    with _locked():
        found = going_on()
        if found is None:
            _write(drill, file())
        return found


def change(drill: Drill, how: Callable[[Drill], Drill]) -> Drill:
    """Change the kept drill, as `how` says. Raises Refused where it is not that one any more, or is over."""
    with _locked():
        found = going_on()
        if found is None or found.id != drill.id:
            raise Refused("That drill has ended in another terminal.", hint="toolkit drill status")
        changed = how(found)
        _write(changed, over_file() if changed.over else file())
        if changed.over:
            file().unlink(missing_ok=True)
        return changed


def drop() -> None:
    """Take away a drill that came to nothing."""
    with _locked():
        file().unlink(missing_ok=True)


def note(words: str, exit_code: int) -> None:
    """Write down that a command was run, if somebody is at work on a drill. Never raises: it is nobody's business."""
    try:
        if not file().exists():
            return
        typed = Typed(words, exit_code, datetime.now(UTC))
        with _locked():
            found = going_on()
            if found is not None and found.phase is Phase.ON:
                _write(msgspec.structs.replace(found, commands=(*found.commands, typed)), file())
    except (Failed, OSError):
        return


def note_look(words: str, exit_code: int, environment: str, *, by_itself: bool) -> None:
    """Write down what was looked at in the terminal app, once, if a drill goes on in `environment`. Never raises."""
    typed = Typed(words, exit_code, datetime.now(UTC), by_itself)

    def known(one: Typed) -> bool:
        return (one.words, one.exit_code) == (words, exit_code) and (by_itself or not one.by_itself)

    try:
        with _locked():
            found = going_on()
            if found is None or found.phase is not Phase.ON or found.environment != environment:
                return
            if not any(known(one) for one in found.commands):
                _write(msgspec.structs.replace(found, commands=(*found.commands, typed)), file())
    except (Failed, OSError):
        return


@contextmanager
def _locked() -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(paths.state() / "drill.lock", timeout=_PATIENCE, mode=0o600):
            yield
    except Timeout as error:
        raise Failed("Another terminal holds the drill's file for a while.", hint="Try again.") from error


def _read(path: Path) -> Drill | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Drill)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise Failed(
            f"The drill's file {path} cannot be read: {error}",
            hint="Remove that file: the drill is lost then, and nothing else. Then: toolkit drill",
        ) from error


def _write(drill: Drill, whole: Path) -> None:
    temporary = whole.with_name(f".{whole.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    text = msgspec.json.format(msgspec.json.encode(drill), indent=1)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(whole)
