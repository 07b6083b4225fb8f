"""The top of every screen: which environment this is, never to be mistaken for another; and the way about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from toolkit.figures import duration
from toolkit.tui.house import house
from toolkit.tui.registry import PAGES, act
from toolkit.tui.wording import elided

if TYPE_CHECKING:
    from toolkit.tui.session import Session


class _Line(Widget):
    """One line that is looked at anew each second, and drawn anew only where it has changed."""

    _drawn: Content | None = None

    def on_mount(self) -> None:
        self.set_interval(1, self.look)

    def line(self) -> Content:
        raise NotImplementedError

    def look(self) -> None:
        if self.screen.is_current and (self._drawn is None or not self._drawn.is_same(self.line())):
            self.refresh()

    def render(self) -> Content:
        self._drawn = self.line()
        return self._drawn


class Banner(_Line):
    """One line: the environment, what is special about it, title, clusters, who I am, the Vault token's time left."""

    DEFAULT_CSS = """
    Banner {
        height: 1; background: $banner; color: $banner-text; text-style: bold;
        &.-protected { background: $banner-protected; color: $banner-protected-text; }
        &.-sandbox { background: $banner-sandbox; color: $banner-sandbox-text; }
    }
    """

    def on_mount(self) -> None:
        super().on_mount()
        self.look()

    def look(self) -> None:
        session = house(self).session
        self.set_class(session is not None and session.sandbox, "-sandbox")
        self.set_class(session is not None and session.protected and not session.sandbox, "-protected")
        super().look()

    def line(self) -> Content:
        session = house(self).session
        if session is None:
            return Content(" MapApp toolkit  ·  no environment is open")
        return Content(_line(session, self.size.width, house(self).key_of("app.login"), house(self).drilling.mark))


def _line(session: Session, width: int, key: str, drill: Callable[[str], str]) -> str:
    """As much as fits: what tells environments apart always stays; the title goes first, then the host, then who I
    am, then the clusters."""
    environment = session.environment
    marks = [environment.name]
    if session.sandbox:
        marks = ["▞▞ SANDBOX ▞▞", environment.name]
        if mark := drill(environment.name):
            marks.append(mark)
    if session.protected:
        marks.append("PROTECTED")
    if session.read_only:
        marks.append("READ-ONLY")
    left = " " + "  ".join(marks)
    vault = _vault(session, key)
    who, short = session.who, session.who.partition("@")[0]
    title, clusters = environment.title, " ".join(session.clusters)
    for told, name in (((title, clusters), who), ((clusters,), who), ((clusters,), short), ((clusters,), ""), ((), "")):
        right = " · ".join(part for part in (name, vault) if part) + " "
        middle = "".join(f"  {part}" for part in told if part)
        gap = width - cell_len(left) - cell_len(middle) - cell_len(right)
        if gap >= 2:
            return left + middle + " " * gap + right
    return elided(left, width)


def _vault(session: Session, key: str) -> str:
    if session.token is None:
        return ""
    left = session.token_seconds
    if left is None:
        return "vault: no end"
    return f"vault {duration(left)} left" if left > 0 else f"vault EXPIRED ({key} logs in)"


class Navigation(_Line):
    """One line: the pages by their keys, where in the one that is shown we are, and a change that is going on."""

    DEFAULT_CSS = """
    Navigation { height: 1; background: $surface; color: $text-muted; }
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page

    def line(self) -> Content:
        app = house(self)
        width = self.size.width
        mark = ""
        operation = app.operation
        if operation is not None and operation.ongoing:
            mark = f"● {operation.name} {duration(operation.seconds)} ({app.key_of('app.operation')}) "
        crumbs = "".join(f" › {crumb}" for crumb in app.crumbs(self.screen))
        line = self._pages(crumbs, labelled=True)
        if line.cell_length + cell_len(mark) > width:
            line = self._pages(crumbs, labelled=False)
        if (over := line.cell_length + cell_len(mark) - width) > 0 and crumbs:
            line = self._pages(elided(crumbs, max(len(crumbs) - over, 3)), labelled=False)
        gap = width - line.cell_length - cell_len(mark)
        return Content.assemble(line, " " * max(gap, 1), (mark, "bold $text-warning")) if mark else line

    def _pages(self, crumbs: str, *, labelled: bool) -> Content:
        """All pages; those that are not shown by their key alone, unless `labelled`."""
        app = house(self)
        parts: list[Content] = [Content(" ")]
        for page in PAGES:
            shows = act(f"app.{page}")
            key = app.keys.written(shows)
            if page == self._page:
                parts.append(Content.styled(f" {key} {shows.label}{crumbs} ", "bold reverse"))
            else:
                parts.append(Content.assemble(" ", (key, "$text-accent"), f" {shows.label} " if labelled else " "))
        return Content("").join(parts)
