"""What an action of the terminal app is, and a scope: the place where a set of them works.

An action's `id` is its name in a keymap: it never changes, whatever key it is on. It starts with its scope's name.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a person can do. `label` is for the footer, `help` a sentence for help and palette."""

    id: str
    key: str
    action: str
    label: str
    help: str
    footer: bool = False
    palette: bool = True
    priority: bool = False

    @property
    def scope(self) -> str:
        return self.id.partition(".")[0]

    def binding(self) -> Binding:
        return Binding(
            self.key, self.action, self.label, show=self.footer, id=self.id, tooltip=self.help, priority=self.priority
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """Where `acts` work: "app" everywhere, otherwise on the screen or in the widget of that name.

    A scope with a `page` is a page of the app: `page` is the act that shows it, and `toolkit.tui.screens.<name>` has
    its class under the name PAGE.
    """

    name: str
    title: str
    acts: tuple[Act, ...] = ()
    page: Act | None = None


def page_act(name: str, key: str, label: str, help: str) -> Act:  # noqa: A002 - as the field is called
    """The act that shows the page `name`; `key` also says where it stands among the pages."""
    return Act(f"app.{name}", key, f"go('{name}')", label, help)
