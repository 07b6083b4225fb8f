"""The last line: the keys that make sense now, made from the registry; drawn as one text, so that it costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from toolkit.tui.registry import shown

_SPARED = ("app.copy", "app.refresh", "app.environments", "app.jump", "app.palette")  # the help has them


class Footer(Widget):
    """Keys and labels of the screen's and the focused widget's actions. A click on one does it."""

    DEFAULT_CSS = """
    Footer { height: 1; dock: bottom; background: $footer-background; color: $text-muted; text-wrap: nowrap; }
    """

    def on_mount(self) -> None:
        self.auto_links = False  # else every key is drawn as a link
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def render(self) -> Content:
        """All keys that fit: those of everywhere go first, in the order of _SPARED."""
        bindings = [b for _, b, enabled, _ in self.screen.active_bindings.values() if b.show and enabled]
        spared = list(_SPARED)
        while (line := self._line(bindings)).cell_length > self.size.width and spared:
            name = spared.pop(0)
            bindings = [binding for binding in bindings if binding.id != name]
        return line

    def _line(self, bindings: Sequence[Binding]) -> Content:
        parts: list[Content] = []
        labels: set[str] = set()
        for binding in bindings:
            if binding.action not in labels:
                labels.add(binding.action)
                keys = (
                    f" {shown(binding.key)} ",
                    f"bold $footer-key-foreground @click=app.simulate_key('{binding.key}')",
                )
                parts.append(
                    Content.assemble(keys, (f"{binding.description} ", f"@click=app.simulate_key('{binding.key}')"))
                )
        return Content("").join(parts)

    def _changed(self, screen: Screen[object]) -> None:
        del screen
        self.refresh()
