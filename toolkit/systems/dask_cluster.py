"""Work on more than one machine: a dask scheduler that somebody runs, or one of our own with workers from SLURM.

What the work is, is not known here: a function is carried out for each of many items, and what becomes of them comes
back as it ends. dask is an extra, imported when a cluster is opened.
"""

from __future__ import annotations

import importlib
import logging
import queue
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from toolkit import paths
from toolkit.environments import model
from toolkit.errors import ConfigurationError, Failed, ToolkitError, Unreachable, UsageError
from toolkit.progress import SILENT, Progress
from toolkit.systems.bucket.names import shown

if TYPE_CHECKING:
    from distributed import Client, Future
    from distributed.deploy import Cluster

T = TypeVar("T")
R = TypeVar("R")

PATIENCE: Final = 60.0  # seconds without any worker, before a running cluster is given up
_CONNECT_SECONDS: Final = 10.0
_TURN: Final = 0.2  # seconds between looks at whether to stop
_RETRIES: Final = 1  # of work that failed unexpectedly; that of a lost worker dask begins anew by itself, three times
_LOST: Final = ("lost", "pending")
_ADDRESS: Final = re.compile(r"((tcp|tls|wss?)://)?([^\s:/@\[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}")
_DISTRIBUTION: Final = "mapapp-toolkit"
_INSTALL: Final = f"pip install '{_DISTRIBUTION}[distributed]'"


class DaskCluster:
    """An open line to a scheduler; `name` is what errors call it. `close()` lets go of it."""

    def __init__(self, client: Client, name: str, *, patience: float = PATIENCE) -> None:
        self.name = name
        self._client = client
        self._patience = patience

    @property
    def threads(self) -> dict[str, int]:
        """How much each worker does at once, by its address. Raises Unreachable."""
        try:
            return dict(self._client.nthreads())
        except Exception as error:  # dask raises what its network, its protocol or its scheduler did
            raise self._lost() from error

    def wait(self, progress: Progress = SILENT, seconds: float | None = None) -> None:
        """Until the first worker is there; Unreachable after `seconds` (None: however long). Raises Interrupted."""
        began = time.monotonic()
        while not self.threads:
            progress.check_stop()
            if seconds is not None and time.monotonic() - began > seconds:
                raise Unreachable(
                    f"{self.name} has no worker.", hint="Start some: `dask worker ADDRESS`, from the same installation."
                )
            time.sleep(_TURN)

    def check_version(self) -> None:
        """Raises ConfigurationError where a worker has no toolkit, or another version of it."""
        own = _own_version()
        others = {}
        for worker, version in self._on_each(metadata.version, _DISTRIBUTION).items():
            if version != own:
                others[worker] = version if isinstance(version, str) else "not installed"
        if others:
            few = ", ".join(f"{version} on {worker}" for worker, version in list(others.items())[:3])
            raise ConfigurationError(
                f"The toolkit is another one on {len(others)} of the workers of {self.name}: here {own}, {few}.",
                hint=f"Install the same version there: pip install '{_DISTRIBUTION}[distributed]=={own}'",
            )

    def on_each(self, function: Callable[..., object], *arguments: object) -> None:
        """Carry out `function` on each worker, to see whether it can; raises the first ToolkitError that it raised."""
        for worker, outcome in self._on_each(function, *arguments).items():
            if isinstance(outcome, ToolkitError):
                message = f"On the worker {worker}: {outcome.message}"
                raise type(outcome)(message, hint=outcome.hint, by_hand=outcome.by_hand) from outcome
            if isinstance(outcome, Exception):
                raise Failed(f"The worker {worker} cannot do it: {_words(outcome)}.") from outcome

    def map(
        self, function: Callable[[T], R], items: Sequence[T], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[T, R | ToolkitError]]:
        """(item, function(item)) in the order in which they end; a ToolkitError for one that came to nothing.

        Once `stop()` is true, and where it is left early, what has not begun is cancelled on the cluster.
        """
        ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        futures = self._client.map(function, items, pure=False, retries=_RETRIES)
        waiting = {future.key: (future, item) for future, item in zip(futures, items, strict=True)}
        del futures
        for future, _ in waiting.values():
            future.add_done_callback(ended.put)
        made_again: list[Future] = []
        watch = _Watch(self, self._patience)
        try:
            while waiting and not stop():
                for future in [one for one in made_again if one.status not in _LOST]:
                    made_again.remove(future)
                    ended.put(future)
                try:
                    future = ended.get(timeout=_TURN)
                except queue.Empty:
                    problem = watch.problem()
                    if problem is not None:
                        for _, item in waiting.values():
                            yield item, problem
                        return
                    continue
                if future.status in _LOST and self._client.status == "running":
                    made_again.append(future)  # its worker died with the result, before it was fetched
                    continue
                _, item = waiting.pop(future.key)
                yield item, self._outcome(future)
                future.release()
        finally:
            with suppress(Exception):  # a scheduler that is gone has nothing queued any more
                self._client.cancel([future for future, _ in waiting.values()], force=True)

    def close(self) -> None:
        """Let go of the scheduler."""
        with suppress(Exception):
            self._client.close()

    def _on_each(self, function: Callable[..., object], *arguments: object) -> dict[str, object]:
        try:
            return dict(self._client.run(function, *arguments, on_error="return"))
        except Exception as error:
            raise self._lost() from error

    def _outcome(self, future: Future) -> Any:
        if future.status == "finished":
            return future.result()
        if future.status == "error":
            error = future.exception()
            if isinstance(error, ToolkitError):
                return error
            if type(error).__name__ == "KilledWorker":
                return Failed("the workers that tried it were lost, one after the other (out of memory?)")
            return Failed(_words(error))
        return self._lost() if self._client.status != "running" else Failed("the cluster dropped it")

    def _lost(self) -> Unreachable:
        return Unreachable(
            f"{self.name} was lost.", hint="Is the scheduler still running? What was done is kept; type it again."
        )


class _Watch:
    """Whether there is still somebody who works; asked for every few seconds at most."""

    def __init__(self, cluster: DaskCluster, patience: float) -> None:
        self._cluster = cluster
        self._patience = patience
        self._asked = self._seen = time.monotonic()

    def problem(self) -> ToolkitError | None:
        now = time.monotonic()
        if now - self._asked < min(5.0, self._patience / 4):
            return None
        self._asked = now
        try:
            if self._cluster.threads:
                self._seen = now
        except Unreachable as lost:
            return lost
        if now - self._seen <= self._patience:
            return None
        return Unreachable(f"{self._cluster.name} has no worker any more.", hint="Look at the workers' logs.")


@contextmanager
def connected(address: str) -> Iterator[DaskCluster]:
    """The scheduler at `address` (tcp://HOST:PORT), with a worker at least. Raises Unreachable, ConfigurationError,
    UsageError."""
    if not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"{shown(address)!r} is no scheduler's address.",
            hint="It is tcp://HOST:PORT or tls://HOST:PORT, as `dask scheduler` says when it starts.",
        )
    _import("distributed")
    name = f"The dask scheduler at {address}"
    with closing(DaskCluster(_client(address, name), name)) as cluster:
        cluster.wait(seconds=_CONNECT_SECONDS)
        yield cluster


@contextmanager
def on_slurm(part: model.Slurm, progress: Progress = SILENT) -> Iterator[DaskCluster]:
    """A cluster of its own: SLURM's jobs are its workers, and they end with it. Waits for the first of them.

    Whatever speaks to it needs the certificate that is made for it: a login node has many users.
    Raises ConfigurationError where there is no SLURM, Failed where it does not take the jobs.
    """
    _import("distributed", "dask_jobqueue")
    if shutil.which("sbatch") is None:
        raise ConfigurationError(
            "There is no SLURM on this machine: sbatch is not on the PATH.",
            hint="Type it on BioHive (ssh bh-login001), or name a scheduler that runs there: --scheduler ADDRESS.",
        )
    name = "The cluster on SLURM"
    with _slurm_cluster(part) as slurm:
        try:
            slurm.sync(slurm.scale_now, part.jobs)
        except (RuntimeError, ValueError, OSError) as error:
            said = str(error).partition("stderr:")[2].strip() or _words(error)
            raise Failed(
                f"SLURM did not take the jobs: {' '.join(said.split())}",
                hint="Is it the right partition (`sinfo` lists them)? --slurm-option partition=NAME",
            ) from error
        with closing(DaskCluster(_client(slurm, name), name)) as cluster:
            progress.step(f"Waiting for SLURM to start a job ({part.jobs} asked for)")
            cluster.wait(progress)
            yield cluster


@contextmanager
def _slurm_cluster(part: model.Slurm) -> Iterator[Any]:
    from dask_jobqueue import SLURMCluster
    from distributed.core import Status

    directory = paths.state() / "slurm"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = tempfile.TemporaryDirectory(dir=directory, prefix="certificate-", ignore_cleanup_errors=True)
    options = {
        "queue": part.partition or None,
        "account": part.account or None,
        "cores": part.cores,
        "processes": part.cores,
        "memory": part.memory,
        "walltime": part.walltime,
        "interface": part.interface or None,
        "python": part.python or sys.executable,
        "job_extra_directives": list(part.directives),
        "job_script_prologue": list(part.prologue),
        "log_directory": str(directory / "logs"),
        "job_name": _DISTRIBUTION,
        "worker_extra_args": ["--no-dashboard"],
    }

    class Slurm(SLURMCluster):  # type: ignore[misc]
        async def scale_now(self, jobs: int) -> None:
            """As scale, and what sbatch says against it is raised here."""
            for _ in range(jobs):
                self.worker_spec.update(self.new_worker_spec())
            try:
                await self._correct_state()
            finally:
                for job in self.workers.values():  # closing refuses those that sbatch did not take
                    if job.status is Status.created:
                        job.status = Status.failed

    with private as own:
        try:
            cluster = Slurm(
                security=_certificate(Path(own)),
                protocol="tls://",
                scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                silence_logs=False,
                **options,
            )
        except (ValueError, OSError, RuntimeError) as error:
            raise ConfigurationError(f"The cluster on SLURM cannot be made: {_words(error)}.") from error
        try:
            yield cluster
        finally:
            with suppress(Exception):
                cluster.close(timeout=_CONNECT_SECONDS)


def _certificate(directory: Path) -> Any:
    """A new certificate for all that takes part in one cluster: files that its jobs read over the shared home."""
    from distributed.security import Security

    made = Security.temporary().get_tls_config_for_role("worker")
    files = {}
    for name in ("ca_file", "cert", "key"):
        file = directory / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_text(made[name], "ascii")
        files[name] = str(file)
    pairs = {
        f"tls_{role}_{name}": files[name] for role in ("scheduler", "worker", "client") for name in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=files["ca_file"], **pairs)


def _import(*names: str) -> None:
    """dask, silent: what it has to say comes as an error. Raises ConfigurationError where it is not installed."""
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        for name in names:
            importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(f"More than one machine needs dask: {error}.", hint=_INSTALL) from error
    finally:
        if signal.getsignal(signal.SIGINT) is not interrupt:  # dask_jobqueue takes Ctrl-C to itself
            signal.signal(signal.SIGINT, interrupt)
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] in ("distributed", "dask_jobqueue", "tornado"):
            logging.getLogger(name).handlers = [logging.NullHandler()]
            logging.getLogger(name).propagate = False


def _client(address: str | Cluster, name: str) -> Client:
    from distributed import Client

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that differ: it works, or is said where it does not
            return Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except Exception as error:
        raise Unreachable(
            f"{name} cannot be reached: {_words(error)}",
            hint="Does it run there (`dask scheduler`), and is it reachable from here? TLS is set up in dask's own "
            "configuration (distributed.comm.tls).",
        ) from error


def _own_version() -> str:
    return metadata.version(_DISTRIBUTION)


def _words(error: BaseException | None) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
