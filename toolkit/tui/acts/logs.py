"""Page 5."""

from __future__ import annotations

from toolkit.tui.acts.act import Act, Scope, page_act

SCOPE = Scope(
    "logs",
    "Logs",
    (
        Act("logs.source", "s", "screen.source", "Source", "Choose what to read, since and until when.", footer=True),
        Act("logs.follow", "f", "screen.follow", "Follow", "Hold on to the end; moving up lets go of it.", footer=True),
        Act("logs.search", "ctrl+f", "screen.search", "Search", "Search for an expression (RE2).", footer=True),
        Act("logs.next", "n", "screen.find(1)", "Next", "The next place where it is found."),
        Act("logs.previous", "N", "screen.find(-1)", "Previous", "The place before where it is found."),
        Act("logs.level", "l", "screen.level", "Level", "Only this level and above: info, warning, error, all."),
        Act("logs.with", "plus", "screen.only('with')", "Only with", "A filter: only entries with an expression."),
        Act("logs.without", "minus", "screen.only('without')", "Without", "A filter: no entries with an expression."),
        Act("logs.origin", "i", "screen.origin", "Only this", "Only what comes from where the entry in focus does."),
        Act("logs.unfilter", "x", "screen.unfilter", "Unfilter", "Take away the filter that was added last."),
        Act("logs.unfilter-all", "X", "screen.unfilter_all", "No filter", "Take away all filters."),
        Act("logs.unfold", "enter", "screen.unfold", "Open", "Open or close the entry: traceback, fields."),
        Act("logs.next-error", "right_curly_bracket", "screen.error(1)", "Next error", "To the next error."),
        Act("logs.previous-error", "left_curly_bracket", "screen.error(-1)", "Last error", "To the error before."),
        Act("logs.patterns", "p", "screen.patterns", "Patterns", "What is said, as templates: new ones first."),
        Act("logs.histogram", "h", "screen.histogram", "Time", "To the histogram, where the arrows go through time."),
        Act("logs.earlier", "left_square_bracket", "screen.step(-1)", "Earlier", "One bar of the histogram back."),
        Act("logs.later", "right_square_bracket", "screen.step(1)", "Later", "One bar of the histogram on."),
        Act("logs.zone", "z", "screen.zone", "Zone", "Times in local time, UTC, Mountain Time."),
        Act("logs.wrap", "w", "screen.wrap", "Wrap", "Wrap long lines, or cut them (left and right scroll)."),
        Act("logs.copy-raw", "Y", "screen.copy_raw", "Copy raw", "Copy the entry exactly as it was written."),
        Act("logs.link", "u", "screen.link", "Link", "The same query and range in Grafana or the Logs Explorer."),
        Act("logs.start", "g,home", "screen.start", "Beginning", "To the first entry."),
        Act("logs.end", "G,end", "screen.end", "End", "To the last entry, and hold on to the end."),
    ),
    page_act("logs", "5", "Logs", "Logs of every source in one timeline, followed."),
)
