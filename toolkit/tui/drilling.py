"""The drill as the app knows it: which one is on, what is being done about it, and the way to the sandbox's stage.

What takes its time (a case that is brought about, an answer that is weighed) belongs to the app, not to a screen: it
goes on whoever looks, and afterwards the environment is opened anew, for the world behind it is another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from toolkit.errors import ToolkitError
from toolkit.tui import background, looks
from toolkit.tui.background import as_problem, in_thread

if TYPE_CHECKING:
    from toolkit.drills.course import Asked
    from toolkit.drills.drill import Drill
    from toolkit.tui.app import ToolkitApp

T = TypeVar("T")

LOOK = 2.0  # seconds between looks at the drill's file: another terminal may have begun or ended it


class Drilling:
    """`drill` is the one that is on (None: none), `last` the last that ended here. `busy` is what is being done,
    in words; `problem` why the last of that did not succeed; `changes` counts whatever there is to draw anew."""

    def __init__(self, app: ToolkitApp) -> None:
        self.drill: Drill | None = None
        self.last: Drill | None = None
        self.lost = False  # the sandbox is not in the drill's case (any more)
        self.waiting = False  # the drill is over, and nobody said yet what becomes of the sandbox
        self.busy = ""
        self.lines: deque[str] = deque(maxlen=20)
        self.problem: ToolkitError | None = None
        self.changes = 0
        self._app = app
        self._reminded = ""

    # What is known

    def mark(self, environment: str) -> str:
        """For the top of every page: `drill, level 2, 4 min`; "" while none is on."""
        drill = self.drill
        if drill is None:
            return ""
        if drill.environment != environment:
            return f"drill in {drill.environment}"
        minutes = max(0, int((datetime.now(UTC) - drill.started).total_seconds() // 60))
        return f"drill, level {drill.level}, {minutes} min"

    def why_costs(self, environment: str) -> int:
        """The points that asking for the diagnosis costs now; 0 where it is free, or was asked already."""
        drill = self.drill
        if drill is None or drill.environment != environment or drill.level == 1:
            return 0
        from toolkit.drills import score, ways

        return 0 if any(typed.words == ways.WHY for typed in drill.commands) else score.HINT

    def watch(self) -> None:
        """Called every LOOK seconds: cheap as long as there is no drill."""
        if looks.a_drill_goes_on() or self.drill is not None:
            background.work_for(self._app, self._read, group="drill", exclusive=True)

    async def _read(self) -> None:
        from toolkit.drills import store

        try:
            self._take(await in_thread(store.going_on, "the drill"))
        except ToolkitError:
            self._take(None)  # the drill's page says what is wrong with its file
        self._remind()

    def _remind(self) -> None:
        """Once for each drill that was begun before the app was."""
        drill = self.drill
        if drill is None or drill.id == self._reminded or self.busy:
            return
        session = self._app.session
        if session is not None and session.sandbox:
            self._reminded = drill.id
            where = "" if session.environment.name == drill.environment else f" in {drill.environment} (e opens it)"
            key = self._app.key_of("app.drill")
            self._app.notify(f"A drill (level {drill.level}) is going on{where}: {key} shows it.", timeout=10)

    def _take(self, drill: Drill | None) -> None:
        if drill != self.drill:
            self.drill = drill
            self.changes += 1

    async def look(self) -> None:
        """All that the drill's page shows: the drill, the last one, and whether the sandbox is still in its case."""
        if not self.busy:
            await self._do("", self._looked)

    def _looked(self) -> Drill | None:
        from toolkit.drills import store
        from toolkit.drills.drill import Phase

        going, self.last = store.going_on(), store.over()
        staged = self._app.opener.stage(self._narrate).drill()
        self.lost = going is not None and (going.phase is Phase.PREPARING or staged != going.id)
        self.waiting = going is None and self.last is not None and staged == self.last.id
        return going

    # What is done

    def begin(self, asked: Asked | None) -> None:
        """A new drill; without `asked` the one that is going on, with its case brought about again."""

        def begun() -> Drill:
            from toolkit.drills import course

            return course.begin(self._app.opener.stage(self._narrate), asked).drill

        self._start("Bringing a case about", begun, anew=True)

    def hint(self) -> None:
        from toolkit.drills import course

        self._start("Looking for the next step", partial(self._needed, course.hint))

    def answer(self, named: Sequence[str]) -> None:
        from toolkit.drills import course

        self._start("Weighing the answer", partial(self._needed, partial(self._answer, course.answer, named)))

    def give_up(self) -> None:
        from toolkit.drills import course
        from toolkit.drills.drill import Phase

        def given_up() -> Drill | None:
            stage, going = self._app.opener.stage(self._narrate), self.drill
            if going is not None and going.phase is Phase.PREPARING:
                course.forget(stage)
                return None
            return self._needed(partial(course.give_up, stage))

        self._start("Ending the drill", given_up)

    def end(self, *, keep: bool) -> None:
        """What becomes of the sandbox after a drill: healthy again, or kept as it is."""

        def left() -> None:
            from toolkit.drills import course

            course.leave(self._app.opener.stage(self._narrate), keep=keep)
            self.waiting = False

        self._start("Leaving the sandbox as it is" if keep else "Making the sandbox healthy", left, anew=not keep)

    def _needed(self, work: Callable[[Drill], T]) -> T:
        from toolkit.drills import store

        return work(store.needed())

    def _answer(self, answer: Callable[..., Drill], named: Sequence[str], drill: Drill) -> Drill:
        return answer(self._app.opener.stage(self._narrate), drill, named)

    def _start(self, what: str, work: Callable[[], Drill | None], *, anew: bool = False) -> None:
        if self.busy:
            return
        self.lines.clear()
        background.work_for(self._app, partial(self._carry_out, what, work, anew=anew), group="drill's work")

    async def _carry_out(self, what: str, work: Callable[[], Drill | None], *, anew: bool) -> None:
        if await self._do(what, work, anew=anew) and anew:
            if self.drill is not None:
                await self._app.action_drill()
            else:
                self._app.notify("The sandbox is healthy again.")

    async def _do(self, what: str, work: Callable[[], Drill | None], *, anew: bool = False) -> bool:
        """Whether it succeeded; a drill that it gives back is the one that is on, or the last one if it is over. With
        `anew` the environment is opened anew afterwards, and only then it is done."""
        self.busy, self.problem = what or self.busy, None
        self.changes += 1
        try:
            drill = await in_thread(work, what or "the drill")
        except Exception as error:  # noqa: BLE001 - whatever it is, the page shows it
            self.problem = as_problem(error)
            return False
        else:
            if drill is not None and drill.over:
                self.last, drill, self.waiting = drill, None, not self.lost
            elif drill is not None:
                self._reminded = drill.id
                self.lost = self.lost and not what
            self._take(drill)
            if anew:
                await self._app.reopen()
            return True
        finally:
            self.busy = "" if what else self.busy
            self.changes += 1

    def _narrate(self, text: str) -> None:
        """From the work's thread: a line of what it does."""
        self.lines.append(text)
        self.changes += 1
