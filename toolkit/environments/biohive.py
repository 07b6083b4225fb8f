"""BioHive, the supercomputer with the fast link to Google's cloud: how it is reached by ssh, and what is used there."""

from __future__ import annotations

from toolkit.environments.part import Part


class BioHive(Part, frozen=True):
    """The login node as ssh knows it: `host` may be an alias of the user's ssh configuration.

    `user`, `ssh_config` (a file instead of the user's own) and `ssh_options` ("ProxyJump=gate") go before what stands
    there. `directory` is where commands begin and relative paths are meant; empty: the home directory. `scratch` is a
    place whose free space is shown. `jupyter` is the command that starts it. `requirement` is what `uv tool install`
    gets there; empty: a wheel of this very installation. `measured_url` is an object of Google's storage that anybody
    may read: how fast it comes is how fast the link is.
    """

    host: str = "bh-login001"
    user: str = ""
    ssh_config: str = ""
    ssh_options: tuple[str, ...] = ()
    directory: str = ""
    scratch: str = ""
    jupyter: str = "jupyter lab"
    requirement: str = ""
    python: str = ">=3.11,<3.15"
    measured_url: str = "https://storage.googleapis.com/gcp-public-data-landsat/index.csv.gz"
    timeout_seconds: float = 10.0
