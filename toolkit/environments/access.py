"""Who may get in: the parts of an environment that know people (Okta) and the rules at the door (Pomerium)."""

from __future__ import annotations

from toolkit.environments.part import Part


class Okta(Part, frozen=True):
    """Okta's Users and Groups API. `address` is the organisation's (https://example.okta.com), without `-admin`.

    `vault_path` and `vault_field` say where its API token lies in this environment's Vault. `group_types` are the types
    of groups that count at the door: groups of Google Workspace are APP_GROUP, and do not. `owners` manage the groups.
    """

    address: str = ""
    vault_path: str = ""
    vault_field: str = "token"
    ca_file: str = ""
    group_types: tuple[str, ...] = ("OKTA_GROUP", "BUILT_IN")
    owners: str = "the security team"
    timeout_seconds: float = 10.0


class Pomerium(Part, frozen=True):
    """Where the policy of the app's route stands: in the annotations of an Ingress, or in Pomerium's own configuration.

    The Ingress is the one of that name; without a name, the one for the host of app.url. `cluster` and `namespace`:
    empty means the app's. `config_file`, a copy of Pomerium's config.yaml on this machine, goes before the Ingress.
    """

    cluster: str = ""
    namespace: str = ""
    ingress: str = ""
    annotation_prefix: str = "ingress.pomerium.io"
    config_file: str = ""
    owners: str = "those who run Pomerium"
