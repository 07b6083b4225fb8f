"""Every action of the terminal app, in one place: keys, footer, command palette and help are all made from it.

An action's `id` is its name in a keymap: it never changes, whatever key it is on. Its `scope` says where it can be
used: "app" everywhere, otherwise on the screen of that name.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


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


PAGES = ("home", "groups", "bucket", "rebuild", "journal")

ACTS = (
    Act("app.home", "1", "go('home')", "Home", "Health hop by hop, the layers, what needs attention."),
    Act("app.groups", "2", "go('groups')", "Groups", "The groups in the cache, and their frames."),
    Act("app.bucket", "3", "go('bucket')", "Bucket", "The folders of the L3 bucket, with their sizes."),
    Act("app.rebuild", "4", "go('rebuild')", "Rebuild", "The cache manager: its last runs, and starting one."),
    Act("app.journal", "5", "go('journal')", "Journal", "What was changed, by whom, with what outcome."),
    Act("app.refresh", "r", "refresh_page", "Refresh", "Ask again for everything on this screen.", footer=True),
    Act("app.copy", "y", "copy_focused", "Copy", "Copy the row or text in focus to the clipboard.", footer=True),
    Act("app.environments", "e", "environments", "Env", "Choose another environment.", footer=True),
    Act("app.operation", "o", "operation", "Operation", "Show the change that is being carried out, or was last."),
    Act("app.theme", "t", "toggle_theme", "Light/dark", "Change between the dark and the light theme."),
    Act("app.palette", "ctrl+p,colon", "command_palette", "Find", "Find any action by name.", True, palette=False),
    Act("app.help", "question_mark,f1", "show_help", "Help", "This help: every key, and what it does.", footer=True),
    Act("app.back", "escape", "back", "Back", "Back to where you came from.", palette=False),
    Act("app.quit", "q", "quit", "Quit", "End the toolkit.", footer=True),
    Act("app.quit-now", "ctrl+q", "quit", "Quit", "End the toolkit, from anywhere.", palette=False, priority=True),
    Act("app.interrupt", "ctrl+c", "help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    Act("list.down", "j", "cursor_down", "Down", "One row down (so does the arrow key).", palette=False),
    Act("list.up", "k", "cursor_up", "Up", "One row up (so does the arrow key).", palette=False),
    Act("environments.open", "enter", "screen.open", "Open", "Open the environment in focus.", footer=True,
        palette=False),
    Act("home.details", "enter", "screen.details", "Details", "All that was found for the row in focus.", footer=True),
    Act("groups.frames", "enter", "screen.frames", "Frames", "The frames of the group in focus.", footer=True),
    Act("bucket.unfold", "enter", "screen.unfold", "Open/close", "Open or close the folder in focus.", footer=True),
    Act("rebuild.start", "b", "rebuild", "Rebuild …", "Start the cache manager now, through the gate.", footer=True),
    Act("journal.details", "enter", "screen.details", "Details", "The plan, the outcome and the undo.", footer=True),
    Act("journal.verify", "v", "verify", "Verify", "Is the journal as it was written?", footer=True),
    Act("gate.close", "escape", "close", "Close", "Close; a change that is going on goes on.", footer=True,
        palette=False),
    Act("gate.stop", "s", "stop", "Stop", "Ask the change that is going on to stop.", footer=True, palette=False),
    Act("gate.again", "a", "again", "Again", "Make a new plan, after one that ended.", footer=True, palette=False),
    Act("gate.copy", "y", "copy", "Copy", "Copy the plan, or the outcome with its undo.", footer=True, palette=False),
    Act("gate.follow", "f", "follow", "Log", "Follow the log's end again.", footer=True, palette=False),
    Act("gate.up", "up", "scroll_plan(-1)", "Up", "Scroll the plan.", palette=False),
    Act("gate.down", "down", "scroll_plan(1)", "Down", "Scroll the plan.", palette=False),
    Act("gate.page-up", "pageup", "scroll_plan(-10)", "Page up", "Scroll the plan by a page.", palette=False),
    Act("gate.page-down", "pagedown", "scroll_plan(10)", "Page down", "Scroll the plan by a page.", palette=False),
    Act("gate.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False, priority=True),
    Act("dialogue.close", "escape,enter,q", "dismiss", "Close", "Close this page.", footer=True, palette=False),
    Act("dialogue.copy", "y", "copy", "Copy", "Copy this page's text.", footer=True, palette=False),
    Act("dialogue.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    Act("leave.stay", "escape,n", "stay", "Stay", "Stay, and let the change go on.", footer=True, palette=False),
    Act("leave.stop", "s", "stop_and_quit", "Stop and quit", "Ask it to stop, wait for that, and quit.", footer=True,
        palette=False),
    Act("leave.now", "q", "quit_now", "Quit at once", "Quit without waiting.", footer=True, palette=False),
    Act("leave.interrupt", "ctrl+c", "quit_now", "Quit at once", "Quit without waiting.", palette=False),
)  # fmt: skip

SCOPES = {
    "app": "Everywhere",
    "list": "In every list",
    "environments": "Choosing an environment",
    "home": "Home",
    "groups": "Groups",
    "bucket": "Bucket",
    "rebuild": "Rebuild",
    "journal": "Journal",
    "gate": "The gate",
    "dialogue": "A page on top",
    "leave": "Quitting while a change goes on",
}


def acts(scope: str) -> tuple[Act, ...]:
    """The actions of one scope, in the order of the help."""
    return tuple(act for act in ACTS if act.scope == scope)


def act(name: str) -> Act:
    """The action of that id."""
    return next(item for item in ACTS if item.id == name)


def bindings(scope: str) -> list[BindingType]:
    """What a class of that scope gives as its BINDINGS."""
    return [act.binding() for act in acts(scope)]


def shown(key: str) -> str:
    """A key as people write it: `?` for question_mark, `^p` for ctrl+p."""
    first, *others = key.split(",")
    names = {"question_mark": "?", "colon": ":", "escape": "esc"}
    text = names.get(first, first).replace("ctrl+", "^")
    return " ".join([text, *(shown(other) for other in others)])
