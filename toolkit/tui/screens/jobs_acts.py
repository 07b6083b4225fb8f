"""What one does with a row of the jobs page: read all of it, its log, events, YAML; and the two changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from toolkit.errors import ToolkitError
from toolkit.figures import rfc3339
from toolkit.secret import scrub
from toolkit.tui.house import house
from toolkit.tui.log_query import LogQuery
from toolkit.tui.screens.asked_page import AskedPage, Draw
from toolkit.tui.screens.shell import Page
from toolkit.tui.widgets import job_details
from toolkit.tui.widgets.plan_page import fact_lines
from toolkit.tui.wording import foreign

if TYPE_CHECKING:
    from toolkit.systems.cluster.objects import Job
    from toolkit.tui.core import Core
    from toolkit.tui.widgets.job_rows import Row

_AFTER = timedelta(minutes=1)  # lines that come late belong to a run too


class JobActs(Page):
    """The acts; `row` is the one under the cursor."""

    @property
    def row(self) -> Row | None:
        raise NotImplementedError

    def _something(self) -> Row | None:
        """The row, where it is a CronJob, job or pod; else it is said what is missing."""
        row = self.row
        if row is None:
            self.notify("There is no row here.", severity="warning")
        elif row.problem is not None:
            self.notify("This cluster is down: r asks it again.", severity="warning")
            return None
        return row

    async def show_details(self) -> None:
        """The row in full; for what belongs to a part, also what is found about its image, or its memory."""
        row = self.row
        if row is None:
            return
        core, zone = self.session.core, self.session.environment.time_zone
        commands = core.by_hand(row)

        def before(width: int) -> Content:
            return job_details.about(row, zone, width)

        if core.is_own(row):
            self.session.looked("image check")
        elif row.pod is not None and row.look.deployment:
            self.session.looked("app status")
        title = foreign(f"{row.kind} {row.name}")
        await self.app.push_screen(AskedPage(title, lambda: _details(core, row, before, commands), before))

    async def action_events(self) -> None:
        row = self._something()
        if row is None:
            return
        core = self.session.core
        command = core.kubectl(row.cluster, "events", f"--for={row.kind}/{row.name}", namespace=row.namespace)

        def ask() -> Draw:
            found = core.events(row)
            return lambda width: job_details.event_page(row, found, command, width)

        await self.app.push_screen(AskedPage(foreign(f"Events of {row.kind} {row.name}"), ask))

    async def action_yaml(self) -> None:
        row = self._something()
        if row is None:
            return
        core = self.session.core
        command = core.kubectl(row.cluster, "get", row.kind, row.name, "-o", "yaml", namespace=row.namespace)

        def ask() -> Draw:
            text = core.manifest(row)
            return lambda width: job_details.yaml_page(text, command, width)

        await self.app.push_screen(AskedPage(foreign(f"{row.kind} {row.name}"), ask))

    async def action_follow(self) -> None:
        """The row's log, on the logs page."""
        row = self._something()
        if row is None:
            return
        query = log_of(row, own=self.session.core.is_own(row))
        if query is None:
            self.notify("It has not run yet: there is no log.", severity="warning")
            return
        from toolkit.tui.screens.logs import LogsPage

        app = house(self)
        await app.action_go("logs")
        if isinstance(app.screen, LogsPage):
            app.screen.filter(())
            app.screen.read(query)

    async def action_rebuild(self) -> None:
        """Start the cache manager; of another CronJob it is said how that is done by hand."""
        row, core = self.row, self.session.core
        if row is not None and row.cronjob is not None and not row.look.moved and not core.is_own(row):
            words = ("create", "job", f"{row.name[:52]}-by-hand", f"--from=cronjob/{row.name}")
            command = core.kubectl(row.cluster, *words, namespace=row.namespace)
            self.notify(
                f"Only the cache manager is started from here. By hand: {scrub(command)}",
                title=foreign(row.name),
                severity="warning",
                timeout=15,
            )
            return
        await house(self).action_rebuild()

    async def action_restart(self) -> None:
        """Restart MapApp's pods, so that L1 holds the new default group."""
        try:
            action = self.session.core.restart_app()
        except ToolkitError as problem:
            self.notify(scrub(problem.message), title="No restart", severity="error")
            return
        await house(self).carry_out(action)


def log_of(row: Row, *, own: bool) -> LogQuery | None:
    """What the logs page is asked for: from its beginning on; to its end where a job is over. None: it has not run."""
    if row.cronjob is not None:
        if own:
            return LogQuery() if row.last_run is not None else None
        return _log_of_job(row.last_run, row.place) if row.last_run is not None else None
    if row.job is not None:
        return _log_of_job(row.job, row.place)
    if row.begun is None:
        return None
    return LogQuery((f"pod:{row.place}/{row.name}",), rfc3339(row.begun))


def _log_of_job(job: Job, place: str) -> LogQuery | None:
    start = job.started or job.created
    if start is None:
        return None
    until = rfc3339(job.finished + _AFTER) if job.finished is not None else ""
    return LogQuery((f"pods:{place}/job-name={job.name}",), rfc3339(start), until)


def _details(core: Core, row: Row, before: Draw, commands: Sequence[str]) -> Draw:
    """What is asked for a row's details. Blocks. A problem of one answer is told in its place; the others stand."""
    parts: list[Draw] = []
    if core.is_own(row):
        parts.append(_image(core, row))
        if row.cronjob is not None:
            parts.append(_facts(core))
    elif row.pod is not None and row.look.deployment and row.pod.owner.startswith(f"{row.look.deployment}-"):
        parts.append(_memory(core))

    def draw(width: int) -> Content:
        below = [Content(""), *job_details.command_lines(commands, width)] if commands else []
        return Content("\n").join([before(width), *(part(width) for part in parts), *below])

    return draw


def _facts(core: Core) -> Draw:
    try:
        facts = core.cache_manager_thoroughly().facts
    except ToolkitError as error:
        return _problem("Where it is", error)
    head = [Content(""), Content.styled("Before a rebuild: is it the right cluster, may I?", "bold")]
    return lambda width: Content("\n").join([*head, *fact_lines(facts, width)])


def _image(core: Core, row: Row) -> Draw:
    try:
        finding = core.image()
    except ToolkitError as error:
        return _problem("Image: what runs against what should", error)
    images = row.images
    return lambda width: Content("\n").join(job_details.image_lines(finding, images, width))


def _memory(core: Core) -> Draw:
    try:
        finding = core.app_memory()
    except ToolkitError as error:
        return _problem("L1: what the pods hold", error)
    head = [Content(""), Content.styled("L1: what the app's pods hold", "bold")]
    return lambda width: Content("\n").join([*head, *job_details.finding_lines(finding, width)])


def _problem(what: str, error: ToolkitError) -> Draw:
    return lambda width: Content("\n").join(job_details.problem_lines(what, error, width))
