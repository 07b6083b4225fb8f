"""Every action of the terminal app, in one place: keys, footer, command palette and help are all made from it.

A scope is a file of `toolkit.tui.acts` with a `SCOPE`; a new file is found by itself. Pages stand in the order of
their number keys.
"""

from __future__ import annotations

import importlib
import pkgutil

from textual.binding import BindingType

from toolkit.tui import acts as _folder
from toolkit.tui.acts.act import Act, Scope

_FIRST = ("app", "list", "environments")  # in the help; then the pages, then the dialogues


def _found() -> list[Scope]:
    names = sorted(module.name for module in pkgutil.iter_modules(_folder.__path__) if module.name != "act")
    scopes: list[Scope] = [importlib.import_module(f"{_folder.__name__}.{name}").SCOPE for name in names]

    def place(scope: Scope) -> tuple[int, str]:
        if scope.name in _FIRST:
            return 0, str(_FIRST.index(scope.name))
        return (1, scope.page.key) if scope.page is not None else (2, scope.name)

    return sorted(scopes, key=place)


_SCOPES = _found()
_PAGE_ACTS = tuple(scope.page for scope in _SCOPES if scope.page is not None)
PAGES = tuple(scope.name for scope in _SCOPES if scope.page is not None)
DIALOGUES = frozenset(scope.name for scope in _SCOPES if scope.page is None and scope.name not in _FIRST)
SCOPES = {scope.name: scope.title for scope in _SCOPES}
ACTS = _PAGE_ACTS + tuple(act for scope in _SCOPES for act in scope.acts)


def acts(scope: str) -> tuple[Act, ...]:
    """The actions of one scope, in the order of the help."""
    return tuple(act for act in ACTS if act.scope == scope)


def act(name: str) -> Act:
    """The action of that id."""
    return next(item for item in ACTS if item.id == name)


def page_key(page: str) -> str:
    """The key that shows that page."""
    return act(f"app.{page}").key


def bindings(scope: str) -> list[BindingType]:
    """What a class of that scope gives as its BINDINGS."""
    return [act.binding() for act in acts(scope)]


def shown(key: str) -> str:
    """A key as people write it: `?` for question_mark, `^p` for ctrl+p."""
    first, *others = key.split(",")
    names = {
        "colon": ":", "escape": "esc", "left_curly_bracket": "{", "left_square_bracket": "[", "minus": "-",
        "plus": "+", "question_mark": "?", "right_curly_bracket": "}", "right_square_bracket": "]", "slash": "/",
    }  # fmt: skip
    text = names.get(first, first).replace("ctrl+", "^")
    return " ".join([text, *(shown(other) for other in others)])
