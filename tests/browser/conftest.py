"""A JupyterLab of its own and a Chromium without a way out, for the tests that click."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_TIMEOUT_S = 60
LAB_TIMEOUT_MS = 60_000


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path


@dataclass
class Visit:
    """A page and everything that it asked for or complained about."""

    page: Page
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    requests: int = 0


@pytest.fixture(scope="session")
def chromium() -> str:
    if Path(CHROMIUM).exists():
        return CHROMIUM
    reason = f"{CHROMIUM} is not there: apt-get install chromium"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab on a free port of 127.0.0.1 with folders of its own; ended afterwards."""
    root = tmp_path / "lab"
    root.mkdir()
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    private = {
        name: str(tmp_path / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
    }
    private |= {"IPYTHONDIR": str(tmp_path / "ipython"), "LDT_OFFLINE": "1"}
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    log = tmp_path / "lab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
                f"--ServerApp.root_dir={root}", "--expose-app-in-browser",
                "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                f"--LabApp.user_settings_dir={tmp_path / 'settings'}",
                f"--LabApp.workspaces_dir={tmp_path / 'workspaces'}",
            ],
            env={**os.environ, **private}, stdout=output, stderr=subprocess.STDOUT, cwd=root,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/status?token={token}", server, log)
        yield Lab(url, token, root)
    finally:
        server.terminate()  # the server ends its kernels
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"JupyterLab ended with {server.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own server)
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start in {START_TIMEOUT_S} s:\n{log.read_text()[-3000:]}")


@pytest.fixture
def visit(chromium: str, tmp_path: Path) -> Iterator[Visit]:
    """A page that notes every request, refuses those that leave this machine, and keeps errors."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        seen = Visit(page)

        def look(route):  # type: ignore[no-untyped-def]
            url = route.request.url
            seen.requests += 1
            if urlsplit(url).scheme in ("http", "https", "ws", "wss") and (
                urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1")
            ):
                seen.outside.append(url)
                route.abort()
                return
            route.continue_()

        page.route("**/*", look)
        page.on("websocket", lambda ws: _note_socket(seen, ws.url))
        page.on("pageerror", lambda error: seen.complaints.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: (
                seen.complaints.append(f"{message.text} @ {message.location}")
                if message.type == "error"
                else None
            ),
        )
        yield seen
        browser.close()


def _note_socket(seen: Visit, url: str) -> None:
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        seen.outside.append(url)


@pytest.fixture
def open_notebook(lab: Lab, visit: Visit) -> Callable[[str], Page]:
    """Open a notebook of the lab's folder, wait for its kernel and run all cells."""

    def open_and_run(name: str) -> Page:
        page = visit.page
        page.goto(f"{lab.url}/doc/tree/{name}?token={lab.token}")
        page.wait_for_function("() => window.jupyterapp !== undefined", timeout=LAB_TIMEOUT_MS)
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=LAB_TIMEOUT_MS)
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
            "?.connectionStatus === 'connected'",
            timeout=LAB_TIMEOUT_MS,
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return page

    return open_and_run


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures go: LDT_SCREENSHOTS to look at them afterwards."""
    folder = Path(os.environ.get("LDT_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
