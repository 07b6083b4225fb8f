"""The group auto-loader: where its configuration is (configome), and where production's settings stand beside it."""

from __future__ import annotations

from typing import Literal

from toolkit.environments.part import Part


class Configome(Part, frozen=True):
    """configome, which holds the auto-loader's settings under `key` (dots lead inside, or are part of the name).

    `remote` is a Git address or a clone's path (with `branch` and `path`), the YAML file itself on this machine, or
    its http(s) URL; `kind` says which, where the address does not tell. `vault_path` and `vault_field` say where a
    bearer token for the URL lies in this environment's Vault; empty: none is needed.
    """

    remote: str = ""
    kind: Literal["", "git", "file", "http"] = ""
    branch: str = "trunk"
    path: str = "configome.yaml"
    key: str = "group-auto-loader.prod"
    vault_path: str = ""
    vault_field: str = "token"
    ca_file: str = ""
    timeout_seconds: float = 10.0


class Loader(Part, frozen=True):
    """The group auto-loader itself. `manifest` is the file in eng-infrastructure that holds production's settings: YAML
    with configome.key in it, or a ConfigMap whose data holds that.

    `phenoservice_api` is production's address; empty: the one that the manifest names. `command` is how the loader is
    run by hand; `owners` build the groups.
    """

    manifest: str = ""
    phenoservice_api: str = ""
    command: str = "python phenoapp/group_auto_loader.py"
    owners: str = "those who build the groups (the group auto-loader)"
