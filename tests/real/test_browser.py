"""The app in a real Chromium, as somebody who follows the link of `toolkit serve` sees it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from serving import Serving, wait_for

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="NO BROWSER HERE: `toolkit serve` is not seen in one (apt-get install chromium chromium-driver)",
)

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
)
# xterm.js is kept in a variable of the page's own script; this catches it as it is made.
CATCH = """
Object.defineProperty(Object.prototype, "terminal", { configurable: true, set(made) {
  Object.defineProperty(this, "terminal", { value: made, writable: true });
  if (made && made.buffer) { window.caught = made; delete Object.prototype.terminal; }
}});
"""
READ = """
if (!window.caught) return "";
const rows = window.caught.buffer.active, text = [];
for (let row = 0; row < rows.length; row++) text.push(rows.getLine(row).translateToString(true));
return text.join("\\n");
"""
Browse = Callable[[], Any]


@pytest.fixture
def browse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browse]:
    """Opens a browser with a profile of its own, each time it is called."""
    from selenium import webdriver

    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    opened: list[Any] = []

    def browser() -> Any:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={tmp_path / f'profile-{len(opened)}'}", "--window-size=1000,700"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        made = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
        opened.append(made)
        made.set_page_load_timeout(30)
        made.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CATCH})
        return made

    try:
        yield browser
    finally:
        for one in opened:
            one.quit()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a sandbox that runs."""
    from toolkit.sandbox import client

    home = tmp_path_factory.mktemp("browser-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_HOME", str(home))
        client.start(rebuild_seconds=2.0)
        client.apply_scenario(["healthy"])
        yield home
        client.stop()


@pytest.mark.timeout(240)
def test_the_app_in_a_browser(browse: Browse, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from selenium.webdriver import ActionChains

    monkeypatch.setenv("TOOLKIT_HOME", str(world))
    serving = Serving("--env", "sandbox")
    try:
        mine = browse()

        def shown(*wanted: str) -> str:
            def look() -> str:
                text = str(mine.execute_script(READ))
                return text if all(one in text for one in wanted) else ""

            try:
                return wait_for(look, f"{wanted} in the terminal")
            except AssertionError:
                print(mine.execute_script(READ), mine.get_log("browser"))
                raise

        def press(keys: str) -> None:
            ActionChains(mine).send_keys(keys).perform()

        mine.get(serving.link)
        assert serving.token not in mine.current_url
        assert serving.token not in str(mine.execute_script("return document.referrer"))
        shown("SANDBOX", "READ-ONLY", "Layers", "rp006_")
        press("2")
        shown("Groups", "★  rp006_", "number 1 of the dropdown")

        # A change is refused, and says why.
        press("4")
        shown("cronjob  rp006-neuro")
        press("b")
        shown("is read-only here", "was not carried out")

        mine.save_screenshot("/tmp/serve-shot.png")
        # The link is dead for anybody else, and nothing was loaded from elsewhere.
        other = browse()
        other.get(serving.link)
        assert "This link was used already" in other.page_source
        assert "Press Enter in the terminal" in other.page_source
        asked = [entry["message"] for entry in mine.get_log("performance") if "requestWillBeSent" in entry["message"]]
        assert asked
        assert not [one for one in asked if "https://" in one]
        severe = [entry for entry in mine.get_log("browser") if entry["level"] == "SEVERE"]
        assert not severe, severe

        # Loaded anew, the tab has a new app, and the one of before is gone; so it is when the tab is closed.
        (before,) = serving.apps()
        mine.refresh()
        shown("SANDBOX", "Layers", "rp006_")
        wait_for(lambda: [app.pid for app in serving.apps()] not in ([], [before.pid]), "another app")
        wait_for(lambda: not before.is_running(), "the end of the app before")
        (after,) = serving.apps()
        mine.get("about:blank")
        wait_for(lambda: not psutil.pid_exists(after.pid), "the end of the app")
        assert serving.interrupt() == 0, serving.said
    finally:
        serving.close()
