"""The sandbox seen from outside: through plain clients that know nothing of the toolkit."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from toolkit.environments import loading
from toolkit.environments.model import Environment
from toolkit.sandbox import client

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Poll `condition` until it is true, and give back what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"never came true: {what}")


class Outside:
    """One environment of the running sandbox."""

    def __init__(self, name: str = "sandbox") -> None:
        self.settings = loading.load(sandbox=client.start().config_file).settings
        self.environment: Environment = self.settings.environments[name]

    # -- Vault

    def vault(self, path: str) -> tuple[int, Any]:
        part = self.environment.vault
        token = Path(part.token_file).read_text("utf-8")
        return _get(f"{part.address}/v1/{path}", {"X-Vault-Token": token})

    def token(self) -> str:
        """The Redis token as Vault has it."""
        status, answer = self.vault(f"secret/data/{self.environment.vault.path}")
        assert status == 200, answer
        return str(answer["data"]["data"]["token"])

    # -- Redis, at the address that the Service says

    def proxy(self) -> tuple[str, int]:
        part = self.environment.redis_proxy
        service = self.kube(part.cluster, f"/api/v1/namespaces/{part.namespace}/services/{part.service}")
        return service["status"]["loadBalancer"]["ingress"][0]["ip"], service["spec"]["ports"][0]["port"]

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        host, port = self.proxy()
        with redis.Redis(
            host=host, port=port, password=self.token(), protocol=2, retry=Retry(NoBackoff(), 0)
        ) as connection:
            yield connection

    def groups(self) -> list[str]:
        """What `zrange available-groups 0 -1` gives."""
        with self.redis() as connection:
            return [name.decode() for name in connection.zrange("available-groups", 0, -1)]

    def frames(self) -> list[str]:
        with self.redis() as connection:
            return sorted(key.decode() for key in connection.keys("*:*"))

    # -- the bucket

    def objects(self) -> dict[str, dict[str, Any]]:
        part = self.environment.bucket
        status, answer = _get(f"{part.endpoint}/storage/v1/b/{part.name}/o")
        assert status == 200, answer
        return {item["name"]: item for item in answer.get("items", [])}

    def read(self, path: str) -> bytes:
        part = self.environment.bucket
        url = f"{part.endpoint}/download/storage/v1/b/{part.name}/o/{quote(path, safe='')}?alt=media"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bytes(answer.read())

    # -- the clusters

    def kube(self, cluster: str, path: str, body: object = None, *, text: bool = False, method: str = "") -> Any:
        """What the API of that cluster answers at `path`; a Status object where it says no. A body is POSTed, unless
        `method` says otherwise; PATCH is a merge patch."""
        part = self.settings.clusters[cluster]
        config = yaml.safe_load(Path(part.kubeconfig).read_text("utf-8"))
        server = next(one["cluster"] for one in config["clusters"] if one["name"] == part.context)
        user = next(one["user"] for one in config["users"] if one["name"] == part.context)
        trust = ssl.create_default_context(cafile=server["certificate-authority"])
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": kind}
        return _get(server["server"] + path, headers, body, trust, text=text, method=method)[1]

    def jobs(self, cluster: str = "") -> list[dict[str, Any]]:
        """The cache manager's Jobs, the newest first."""
        part = self.environment.cache_manager
        path = f"/apis/batch/v1/namespaces/{part.namespace}/jobs"
        found = self.kube(cluster or part.cluster, path)["items"]
        return sorted(found, key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)

    def cronjob(self, cluster: str = "") -> dict[str, Any] | None:
        part = self.environment.cache_manager
        path = f"/apis/batch/v1/namespaces/{part.namespace}/cronjobs/{part.cronjob}"
        found: dict[str, Any] = self.kube(cluster or part.cluster, path)
        return found if found["kind"] == "CronJob" else None

    def log(self, job: dict[str, Any]) -> str:
        """What the pod of that Job wrote."""
        part = self.environment.cache_manager
        pods = f"/api/v1/namespaces/{part.namespace}/pods"
        selected = self.kube(part.cluster, f"{pods}?labelSelector=job-name%3D{job['metadata']['name']}")["items"]
        return str(self.kube(part.cluster, f"{pods}/{selected[0]['metadata']['name']}/log", text=True))


def by_hand(world: Outside, name: str) -> None:
    """Start the cache manager as `kubectl create job NAME --from=cronjob/…` does."""
    part = world.environment.cache_manager
    cronjob = world.cronjob()
    assert cronjob is not None
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": part.cronjob, "uid": cronjob["metadata"]["uid"]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "ownerReferences": [{**owner, "controller": True}]},
        "spec": cronjob["spec"]["jobTemplate"]["spec"],
    }
    made = world.kube(part.cluster, f"/apis/batch/v1/namespaces/{part.namespace}/jobs", job)
    assert made["kind"] == "Job", made


def state(job: dict[str, Any]) -> str:
    """Complete, Failed or running."""
    for condition in job["status"].get("conditions", []):
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return str(condition["type"])
    return "running"


def _get(
    url: str,
    headers: dict[str, str] | None = None,
    body: object = None,
    trust: ssl.SSLContext | None = None,
    *,
    text: bool = False,
    method: str = "",
) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method or None)
    try:
        with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
            content = answer.read()
            return answer.status, content.decode() if text else json.loads(content)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
