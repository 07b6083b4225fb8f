"""The last line: the keys that make sense now, made from the registry; drawn as one text, so that it costs nothing."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from toolkit.tui.registry import shown


class Footer(Widget):
    """Keys and labels of the screen's and the focused widget's actions. A click on one does it."""

    DEFAULT_CSS = """
    Footer { height: 1; dock: bottom; background: $footer-background; color: $text-muted; text-wrap: nowrap; }
    """

    def on_mount(self) -> None:
        self.auto_links = False  # else every key is drawn as a link
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def render(self) -> Content:
        parts: list[Content] = []
        labels: set[str] = set()
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in labels:
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
