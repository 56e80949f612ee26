"""A served dashboard and a real Chromium. Without one the tests skip and say so, unless a browser is required."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.served import CHROMIUM_FLAGS, CHROMIUM_NAMES, find_chromium, serve

# The first page of a new server takes some seconds: it imports what it needs.
expect.set_options(timeout=20_000)


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
def address(browser: Browser, small_store: Path) -> Iterator[str]:
    """The dashboard on a store with a small real release."""
    with serve(small_store) as address:
        yield address


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
