"""The answer to a drill."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope

SCOPE = Scope(
    "drill-answer",
    "The answer to a drill",
    (
        Act("drill-answer.give", "enter", "screen.give", "Answer", "Answer with what is marked, else with the cause "
            "under the cursor.", True, palette=False),
        Act("drill-answer.mark", "space", "screen.mark", "Mark", "Mark a cause, where there are several.", True,
            palette=False),
        Act("drill-answer.close", "escape", "close", "Close", "Do not answer yet.", True, palette=False),
        Act("drill-answer.help", "f1", "app.show_help", "Help", "What the keys do here.", palette=False),
        Act("drill-answer.interrupt", "ctrl+c", "app.help_quit", "Quit", "Twice: end the toolkit.", palette=False),
    ),
)  # fmt: skip
