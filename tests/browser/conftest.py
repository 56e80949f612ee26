"""A served dashboard and a real Chromium. Without one the tests skip and say so, unless a browser is required."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHECKOUT = Path(__file__).resolve().parents[2]


def find_chromium() -> str | None:
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        if os.environ.get("WARDLIGHT_REQUIRE_BROWSER") == "1":
            pytest.fail("WARDLIGHT_REQUIRE_BROWSER is set, and no Chromium was found")
        pytest.skip(f"no Chromium found (looked for {', '.join(CHROMIUM_NAMES)}): browser tests are skipped")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(small_store: Path) -> Iterator[str]:
    """The dashboard as `wardlight serve` starts it, on a store with a small real release."""
    port = free_port()
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--store", str(small_store), "--port", str(port)]
    server = subprocess.Popen(command, cwd=CHECKOUT, start_new_session=True)
    try:
        wait_until_healthy(port, server)
        yield f"http://localhost:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of 1440 × 1200 in the theme that the test names (light unless it does)."""
    theme: Literal["light", "dark"] = getattr(request, "param", "light")
    context = browser.new_context(viewport={"width": 1440, "height": 1200}, color_scheme=theme)
    context.set_default_timeout(30_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"the page raised errors in the browser: {errors}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(port: int, server: "subprocess.Popen[bytes]", *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"`wardlight serve` ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the dashboard did not answer within {seconds:g} s")
