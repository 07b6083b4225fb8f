"""How long deleting a folder of 10,000 objects takes at 50 ms of latency, beside what one would do without the toolkit.

    uv run python tests/benchmarks/delete_folder.py

The storage server runs in a process of its own, and waits 50 ms before each answer; a batch of 100 waits once, as a
call does (Google's own batches take somewhat longer). One by one, and Google's client.batch() one after the other,
are measured on a slice, and worked out for all.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

OBJECTS = 10_000
LATENCY = 0.050
BUDGET = 10.0
BUCKET = "benchmark"
FOLDER = "group-1/"


def serve(pipe: Connection) -> None:
    """Runs in the server's process: a full bucket for each message, until there is none."""
    from toolkit.sandbox.storage.api import StorageServer

    server = StorageServer()
    server.start()
    server.faults.latency = LATENCY
    while pipe.recv() == "fill":
        server.add_bucket(BUCKET)
        for number in range(OBJECTS):
            server.put(BUCKET, f"{FOLDER}frame-{number:05}.parquet", b"frame")
        pipe.send(server.url)
    server.stop()


@contextmanager
def storage_server() -> Iterator[Callable[[], str]]:
    """fill() -> URL: the bucket holds all objects again."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()

    def fill() -> str:
        here.send("fill")
        return str(here.recv())

    yield fill
    here.send("stop")
    process.join()


def ours(url: str) -> tuple[float, int]:
    """Lists while it deletes: seconds, objects."""
    from toolkit.environments import model
    from toolkit.permit import Permit
    from toolkit.systems.bucket import Bucket

    bucket = Bucket(model.Bucket(name=BUCKET, endpoint=url))
    bucket.may(["storage.objects.delete"])  # imports and connects; the client below has done so, too, when it is timed
    start = time.perf_counter()
    result = bucket.delete(bucket.objects(FOLDER), Permit("benchmark"))
    seconds = time.perf_counter() - start
    left = sum(1 for _ in bucket.objects(FOLDER))
    if result.failed or left:
        raise SystemExit(f"{len(result.failed)} failed, {left} are left")
    bucket.close()
    return seconds, len(result.done)


def google(url: str, slice_: int, batch: int) -> tuple[float, int]:
    """Google's client, as its documentation shows it: seconds for `slice_` objects; batch 1: one by one."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"
    client = storage.Client("p", credentials=AnonymousCredentials(), client_options={"api_endpoint": url})
    bucket = client.bucket(BUCKET)
    start = time.perf_counter()
    names = [blob.name for blob in client.list_blobs(BUCKET, prefix=FOLDER)]
    listed = time.perf_counter() - start
    start = time.perf_counter()
    for at in range(0, slice_, batch):
        if batch == 1:
            bucket.delete_blob(names[at])
        else:
            with client.batch():
                for name in names[at : at + batch]:
                    bucket.delete_blob(name)
    seconds = time.perf_counter() - start
    client.close()
    return listed + seconds * OBJECTS / slice_, slice_


def main() -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"{OBJECTS:,} objects, {LATENCY * 1000:.0f} ms before each answer; listing counted in\n")
    with storage_server() as fill:
        rounds = [ours(fill()) for _ in range(3)]
        seconds, done = sorted(rounds)[1]
        rows = [("toolkit (batches of 100, side by side)", seconds, f"measured on all {done:,}, median of 3")]
        for name, slice_, batch in (
            ("client.batch() of 100, one after the other", 2000, 100),
            ("bucket.delete_blob(), one by one", 200, 1),
        ):
            seconds, measured = google(fill(), slice_, batch)
            rows.append((name, seconds, f"worked out from {measured:,}"))
    for name, seconds, how in rows:
        print(f"{name:<44} {seconds:8.1f} s   x{seconds / rows[0][1]:6.1f}   {how}")
    print(f"\nbudget {BUDGET:.0f} s: {'kept' if rows[0][1] < BUDGET else 'NOT KEPT'}")


if __name__ == "__main__":
    main()
