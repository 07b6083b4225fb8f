"""Makes the pictures of the terminal app in docs/pictures, on the sandbox as it really is.

uv run python docs/make_pictures.py

The names of the groups are of the week in which the sandbox was made, so they are asked for. The sandbox has no
BioHive: an sshd of this machine's, on the loopback and with a home of its own, is one for the picture's sake.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

FOLDER = Path(__file__).parent / "pictures"
USER = getpass.getuser()
OWN = f"{USER}@{socket.gethostname()}"
BLANK = "&#160;"


def text(app: Any) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    for _ in range(1200):
        if condition():
            await pilot.pause(0.3)
            if condition():  # not for a moment only
                return
        await pilot.pause(0.05)
    raise SystemExit(f"waited in vain; the screen was:\n{text(pilot.app)}")


@contextmanager
def biohive(folder: Path, sandbox: Path) -> Iterator[int]:
    """An sshd in `folder` is the BioHive of the environment `sandbox`, in the file with the sandbox's configuration.
    Gives the port on which it listens."""
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    there = folder / "there"
    there.mkdir(parents=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # what sshd asks for when it is root's
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for key in ("host_key", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/id.pub\n"
        f"PidFile {folder}/pid\nStrictModes no\nPasswordAuthentication no\n"
        f'SetEnv HOME="{there}" PATH="{Path(shutil.which("uv") or "uv").parent}:/usr/bin:/bin"\n'
    )
    (folder / "ssh_config").write_text(
        f"Host bh-login001\n HostName 127.0.0.1\n Port {port}\n IdentityFile {folder}/id\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {folder}/known_hosts\n"
    )
    written = sandbox.read_text("utf-8")
    part = f'[environments.sandbox.biohive]\nhost = "bh-login001"\nssh_config = "{folder}/ssh_config"\n'
    with subprocess.Popen([sshd, "-D", "-f", folder / "sshd_config"], stderr=subprocess.DEVNULL) as running:
        try:
            sandbox.write_text(written.replace('[environments.sandbox.biohive]\nhost = ""\n', part), "utf-8")
            yield port
        finally:
            running.terminate()


async def main() -> None:
    from toolkit.__main__ import _Opener
    from toolkit.sandbox import client
    from toolkit.tui.app import ToolkitApp

    home = Path(os.environ["TOOLKIT_HOME"])
    config = client.start().config_file
    client.apply_scenario(["redis-flushed"])
    app = ToolkitApp(_Opener(), "sandbox")
    with biohive(home / "biohive", config) as port:
        async with app.run_test(size=(110, 32)) as pilot:
            await pictures(app, pilot, home, port)
    client.stop()


async def pictures(app: Any, pilot: Pilot[Any], home: Path, port: int) -> None:
    from toolkit.sandbox import client
    from toolkit.tui import walk_start

    async def seen(*words: str) -> None:
        await until(pilot, lambda: all(word in text(app) for word in words))

    def save(name: str) -> None:
        picture = app.export_screenshot(title="toolkit")
        # Whose machine it was made on is nobody's business; as many characters, so that nothing moves.
        for own, shown in (
            (str(home), "/home/me/toolkit"),
            (OWN, "me@home"),
            (f"in as {USER} on", f"in as {'anna'[: len(USER)]} on"),
        ):
            shown = f"{shown:<{len(own)}}"
            picture = picture.replace(own.replace(" ", BLANK), shown.replace(" ", BLANK))
        # The loopback is no BioHive: what stands behind it moves up.
        loopback = f" (127.0.0.1:{port})"
        picture = re.sub(
            rf"{re.escape(loopback.replace(' ', BLANK))}(,[^<]*?{BLANK}s)", rf"\1{BLANK * len(loopback)}", picture
        )
        (FOLDER / f"{name}.svg").write_text(picture, "utf-8")

    async def typed(line: str) -> None:
        """Answer the question that a key has asked."""
        await until(pilot, lambda: bool(app.screen.query("#line")))
        app.screen.query_one("#line", Input).value = line
        await pilot.press("enter")

    async def groups() -> list[str]:
        """As the app lists them now."""
        return [group.name for group in (await asyncio.to_thread(app.session.core.overview)).groups]

    await seen("rebuild-permissions", "reload-the-groups")
    names = await groups()
    await seen(*(name[:13] for name in names))
    await until(pilot, lambda: not any(word in text(app) for word in ("looking", "counting", "asking")))
    save("home")
    await pilot.press("w")
    await seen("Fill in what you know")
    for letter in "BRCA1":
        await pilot.press(letter)
    await pilot.press("enter")
    await seen("redis-flushed 95%", "m Mend")
    save("why")
    await pilot.press("escape", "4")
    await seen("concurrency", "rp006-prod")
    save("jobs")
    await pilot.press("b")
    await seen("Type", "by hand")
    save("gate")
    app.screen.query_one("#answer", Input).value = "prod-cluster"
    await pilot.press("enter")
    await seen("Wrote")
    save("log")
    await seen("done")
    save("outcome")
    await pilot.press("escape")
    await pilot.press("2")
    await seen("8/8")
    save("groups")
    await pilot.press("enter")
    await seen("genes_split_by_normalized", "columns")
    await pilot.press("enter")
    await seen("60 perts")
    await pilot.press("R", "E", "C")
    await seen("of 60")
    save("perts")
    await pilot.press("escape", "escape", "escape")
    await seen("number 1 of the dropdown")
    await pilot.press("h")
    await typed("BRCA1 BRCA2 PALB2 KRAS BRAF NF1 TP53 MTOR --order clustered")
    await seen("similar (red)")
    save("heatmap")
    await pilot.press("escape", "v")
    await seen("the last", "created_by")
    save("events")
    await pilot.press("escape", "home")
    other = home / "maps" / (await groups())[1] / "genes.parquet"  # one that differs, and stays
    other.parent.mkdir(parents=True)
    other.write_text("notes of mine")
    await pilot.press("g")
    await typed(f"{home}/maps")
    await seen("8 files downloaded")
    await pilot.press("escape", "down", "g")
    await typed(f"{home}/maps --layer l2")
    await seen("1 file differs", "w Replace")
    save("downloads")
    await pilot.press("escape")
    await pilot.press("3")
    await seen(min(names), "in all")
    await pilot.press("right")
    await seen("genes_split_by.parquet")
    await pilot.press("down", "space", "space")
    await seen("2 objects marked")
    save("bucket")
    await pilot.press("z")
    await seen("The bucket keeps what is deleted")
    save("bucket-deleted")
    await pilot.press("escape")
    await pilot.press("5")
    await seen("Done: 3 groups in Redis")
    await until(pilot, lambda: "no times yet" not in text(app))
    save("logs")
    await pilot.press("6")
    await seen("reload-the-groups")
    save("runbooks")
    await walk_start.begin(app, "reload-the-groups")
    await seen("enter: done")
    save("walk")
    await pilot.press("escape")
    await pilot.press("7")
    await seen("cache.rebuild")
    save("journal")
    client.apply_scenario(["transformation-missing"])
    await pilot.press("A")
    await seen("configome lacks", "production alone")
    save("loader")
    await pilot.press("escape", "S")
    await seen("in as", "no toolkit there")
    save("biohive")
    await pilot.press("escape")
    await pilot.press("D")
    await seen("Choose a level", "enter Go on")
    app.screen.query_one("#seed", Input).value = "7"
    await pilot.press("enter")
    await seen("reports:", "a Answer")
    save("drill")
    await pilot.press("g", "g")
    await seen("The shortest way")
    save("score")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TOOLKIT_HOME"] = home
        asyncio.run(main())
