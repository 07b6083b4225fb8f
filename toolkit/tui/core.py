"""What the app asks of the core, one method a question. Each blocks, so it is called in a thread; the modules that
answer (and the SDKs below them) are imported when the first question is asked, never before the first paint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.actions.journal import Operation, Problem
    from toolkit.actions.plan import Action, Fact
    from toolkit.cache.groups import GroupDetail, Overview
    from toolkit.cache.search.find import Found
    from toolkit.checks.finding import Finding
    from toolkit.secret import Secret
    from toolkit.systems.bucket import Listing
    from toolkit.systems.cluster.objects import CronJob, Job, Pod
    from toolkit.systems.connections import Connections
    from toolkit.systems.vault import LoggedIn, TokenStatus
    from toolkit.tui.log_query import Chip, LogQuery, OpenLog


@dataclass(frozen=True)
class Manager:
    """The cache manager: its CronJob, its runs (the latest first), when it runs next (None: suspended, or `problem`
    says why that is not known). `facts` are there only where it was looked at thoroughly."""

    cronjob: CronJob
    jobs: tuple[Job, ...]
    next_run: datetime | None
    problem: str = ""
    facts: tuple[Fact, ...] = ()

    @property
    def running(self) -> Job | None:
        return next((job for job in self.jobs if not job.over), None)

    @property
    def last(self) -> Job | None:
        """The last run that ended."""
        return next((job for job in self.jobs if job.over), None)


class Core:
    """The questions about one environment. Everything raises ToolkitError where it cannot be answered."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    def token_status(self) -> TokenStatus:
        """Our Vault token: whose it is, how long it lives."""
        return self.connections.vault.token_status()

    def hop_names(self) -> tuple[str, ...]:
        """The hops of `hops`, in the order of their dependence."""
        from toolkit.checks import doctor

        return tuple(check.name for check in doctor.checks(self.connections))

    def hops(self) -> Iterator[Finding]:
        """Health hop by hop, each finding as it becomes known."""
        from toolkit.checks import doctor

        return doctor.hops(self.connections)

    def biohive(self) -> Iterator[Finding]:
        """Does ssh get me into BioHive, and is the toolkit there? Nobody is asked for a passphrase."""
        from toolkit.checks import biohive
        from toolkit.checks.runner import run

        return run(biohive.checks(self.connections))

    def overview(self) -> Overview:
        """Every group, and what of it lies in L2 and L3."""
        from toolkit.cache.groups import overview

        return overview(self.connections)

    def cache_manager(self) -> Manager:
        """The CronJob in the cluster that the cache manager's part names, with the runs that are kept."""
        from toolkit.cache import rebuilds, schedules

        cronjob = rebuilds.find(self.connections)
        jobs = tuple(rebuilds.cluster_of(self.connections).jobs_of(cronjob))
        try:
            next_runs, problem = schedules.schedule_of(cronjob).next, ""
        except ToolkitError as error:
            next_runs, problem = (), error.message
        return Manager(cronjob, jobs, next_runs[0] if next_runs and not cronjob.suspended else None, problem)

    def cache_manager_thoroughly(self) -> Manager:
        """The same, with what one should know before a rebuild: is it the right cluster, is it the right image?"""
        from toolkit.actions.rebuild.facts import facts
        from toolkit.cache import rebuilds

        found = rebuilds.look(self.connections)
        address = rebuilds.cluster_of(self.connections).address
        next_runs = found.schedule.next if found.schedule is not None and not found.cronjob.suspended else ()
        return Manager(
            found.cronjob,
            found.jobs,
            next_runs[0] if next_runs else None,
            "; ".join(found.problems),
            tuple(facts(found, self.connections.environment, address)),
        )

    def group(self, name: str) -> GroupDetail:
        """One group with its frames, in both layers."""
        from toolkit.cache.groups import show

        return show(self.connections, name)

    def folder(self, prefix: str) -> Listing:
        """What lies directly in a folder of the bucket; `prefix` is empty or ends with a slash."""
        return self.connections.bucket.list(prefix, "/")

    def folder_size(self, prefix: str) -> Iterator[tuple[int, int]]:
        """How many objects lie below `prefix`, and their bytes: so far, every thousand objects; at last all."""
        count = total = 0
        for item in self.connections.bucket.objects(prefix):
            count, total = count + 1, total + item.bytes
            if count % 1000 == 0:
                yield count, total
        yield count, total

    def pods(self) -> list[Pod]:
        """The pods where the app and the cache manager live."""
        environment = self.connections.environment
        places = dict.fromkeys((part.cluster, part.namespace) for part in (environment.app, environment.cache_manager))
        return [
            pod for cluster, namespace in places if cluster for pod in self.connections.cluster(cluster).pods(namespace)
        ]

    def runbooks(self) -> list[tuple[str, str]]:
        """Every runbook's name, and its file."""
        from toolkit.walkthrough import library

        files = library.Library(library.folders()).files()
        return [(name, f"`toolkit runbook run {name}`") for name in files]

    def pert_names(self) -> tuple[str, list[str]]:
        """The default group, and all its perturbations by name."""
        from toolkit.cache.search import known_names

        return known_names.of_the_default_group(self.connections)

    def find_pert(self, name: str) -> Found:
        """Which groups hold it, where, and which do not."""
        from toolkit.cache.search import find

        answers = find.find(self.connections, [name])
        return answers.found[0]

    def login_methods(self) -> tuple[str, str]:
        """How this environment's Vault is logged in to, by its configuration; and the address."""
        vault = self.connections.vault
        return self.connections.environment.vault.login.method, str(vault.server)

    def log_in(self, user: str, secret: Secret) -> LoggedIn:
        """Log in to Vault: by password as `user`, or (without one) with a token that somebody has."""
        from toolkit.systems.vault import login

        part = self.connections.environment.vault.login
        mount = part.mount if part.method == "userpass" else ""
        way = login.UserPass(user, secret, mount) if user else login.Pasted(secret)
        return self.connections.vault.login(way)

    def rebuild(self) -> Action:
        """The action that starts the cache manager and sees it through."""
        from toolkit.actions.rebuild import RebuildCache

        return RebuildCache(self.connections)

    def logs(self, query: LogQuery, chips: tuple[Chip, ...] = ()) -> OpenLog:
        """A log that is open: what it says comes in batches, while `OpenLog.watching.run` runs in a thread."""
        from toolkit.tui.log_query import open_log

        return open_log(self.connections, query, chips)

    def operations(self) -> list[Operation]:
        """Every change in the journal, the latest first."""
        from toolkit.actions.journal import Journal

        return Journal().operations()[::-1]

    def unfinished(self) -> list[Operation]:
        """Changes whose process died before it wrote what came of them."""
        from toolkit.actions.journal import Journal

        return Journal().unfinished()

    def verify_journal(self) -> tuple[int, list[Problem]]:
        """How many entries the journal has, and every place where its chain does not hold."""
        from toolkit.actions.journal import Journal

        journal = Journal()
        return sum(1 for _ in journal.entries()), journal.verify()
