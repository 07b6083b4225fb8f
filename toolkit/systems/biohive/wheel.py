"""A wheel of this very installation: what is put on BioHive is what runs here, also where it is on no index.

Made from the files of the package and the metadata that stand here, installed or in a clone; the same files give the
same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import toolkit
from toolkit.errors import ConfigurationError

DISTRIBUTION: Final = "mapapp-toolkit"
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: mapapp-toolkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Wheel:
    """`name` as pip wants it; `requirements` are what it needs, in the versions that are here (name==version)."""

    name: str
    version: str
    content: bytes
    requirements: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def wheel() -> Wheel:
    """Raises ConfigurationError where this is no installation (nothing says what it needs)."""
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise ConfigurationError(
            "This toolkit is not installed, it only lies here: nothing says what it needs.",
            hint="Install it (uv tool install, or uv sync in a clone), or set biohive.requirement.",
        ) from None
    version = toolkit.__version__
    told = (found.read_text("METADATA") or "").replace(f"\nVersion: {found.version}\n", f"\nVersion: {version}\n", 1)
    # Files beside the metadata that it names (licences) do not come along: nothing reads them there.
    told = "\n".join(line for line in told.split("\n") if not line.startswith("License-File:"))
    folder = f"mapapp_toolkit-{version}.dist-info"
    package = Path(toolkit.__file__).resolve().parent
    files = {f"toolkit/{path}": package / path for path in _files(package)}
    runbooks = package.parent / "runbooks"
    if not (package / "_runbooks").is_dir() and runbooks.is_dir():
        files |= {f"toolkit/_runbooks/{path}": runbooks / path for path in _files(runbooks)}
    contents = {name: file.read_bytes() for name, file in sorted(files.items())}
    contents[f"{folder}/METADATA"] = told.encode()
    contents[f"{folder}/WHEEL"] = _WHEEL.encode()
    contents[f"{folder}/entry_points.txt"] = b"[console_scripts]\ntoolkit = toolkit.__main__:main\n"
    record = "".join(f"{name},sha256={_hash(data)},{len(data)}\n" for name, data in contents.items())
    contents[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return Wheel(f"mapapp_toolkit-{version}-py3-none-any.whl", version, made.getvalue(), _here())


def _files(folder: Path) -> list[str]:
    return [
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    ]


def _here() -> tuple[str, ...]:
    """Every distribution that is installed beside this one, by name and version."""
    found = {one.name.lower().replace("_", "-"): one.version for one in metadata.distributions() if one.name}
    found.pop(DISTRIBUTION, None)
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()) if "+" not in version)


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
