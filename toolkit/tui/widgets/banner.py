"""The top of every screen: which environment this is, never to be mistaken for another; and the way about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from toolkit.figures import duration
from toolkit.tui.house import house
from toolkit.tui.registry import ACTS, PAGES
from toolkit.tui.wording import elided

if TYPE_CHECKING:
    from toolkit.tui.session import Session


class Banner(Widget):
    """One line: the environment, PROTECTED, SANDBOX, READ-ONLY, its title, who I am, the Vault token's time left."""

    DEFAULT_CSS = """
    Banner {
        height: 1; background: $banner; color: $banner-text; text-style: bold;
        &.-protected { background: $banner-protected; color: $banner-protected-text; }
        &.-sandbox { background: $banner-sandbox; color: $banner-sandbox-text; }
    }
    """

    def on_mount(self) -> None:
        self._look()
        self.set_interval(1, self._look)

    def _look(self) -> None:
        session = house(self).session
        self.set_class(session is not None and session.sandbox, "-sandbox")
        self.set_class(session is not None and session.protected and not session.sandbox, "-protected")
        self.refresh()

    def render(self) -> Content:
        session = house(self).session
        if session is None:
            return Content(" MapApp toolkit  ·  no environment is open")
        return Content(_line(session, self.size.width))


def _line(session: Session, width: int) -> str:
    """As much as fits: what tells environments apart always stays; the title goes first, then the host."""
    environment = session.environment
    marks = [environment.name]
    if session.sandbox:
        marks = ["▞▞ SANDBOX ▞▞", environment.name]
    if session.protected:
        marks.append("PROTECTED")
    if session.read_only:
        marks.append("READ-ONLY")
    left = " " + "  ".join(marks)
    vault = _vault(session)
    who = session.who
    for title, name in ((environment.title, who), ("", who), ("", who.partition("@")[0]), ("", "")):
        right = " · ".join(part for part in (name, vault) if part) + " "
        middle = f"  {title}" if title else ""
        gap = width - cell_len(left) - cell_len(middle) - cell_len(right)
        if gap >= 2:
            return left + middle + " " * gap + right
    return elided(left, width)


def _vault(session: Session) -> str:
    if session.token is None:
        return ""
    left = session.token_seconds
    if left is None:
        return "vault: no end"
    return f"vault {duration(left)} left" if left > 0 else "vault EXPIRED"


class Navigation(Widget):
    """One line: the screens by their number keys, the one we are on, and a change that is going on."""

    DEFAULT_CSS = """
    Navigation { height: 1; background: $surface; color: $text-muted; }
    """

    def __init__(self, page: str, crumb: str = "") -> None:
        super().__init__()
        self._page = page
        self._crumb = crumb

    def on_mount(self) -> None:
        self.set_interval(1, self.refresh)

    def render(self) -> Content:
        labels = {act.id.removeprefix("app."): (act.key, act.label) for act in ACTS}
        mark = ""
        operation = house(self).operation
        if operation is not None and operation.ongoing:
            mark = f"● {operation.name} {duration(operation.seconds)} (o) "
        tabs = sum(len(labels[page][1]) + 4 for page in PAGES) + 1
        room = self.size.width - tabs - cell_len(mark) - 4
        parts: list[Content] = [Content(" ")]
        for page in PAGES:
            key, label = labels[page]
            if page != self._page:
                parts.append(Content.assemble(" ", (key, "$text-accent"), f" {label} "))
                continue
            crumb = f" › {elided(self._crumb, room)}" if self._crumb and room > 8 else ""
            parts.append(Content.styled(f" {key} {label}{crumb} ", "bold reverse"))
        line = Content("").join(parts)
        gap = self.size.width - line.cell_length - cell_len(mark)
        return Content.assemble(line, " " * max(gap, 1), (mark, "bold $text-warning")) if mark else line
