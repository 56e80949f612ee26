"""Takes the pictures of docs/screenshots from the store as it is: `make screenshots`."""

import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from pipeline.paths import CHECKOUT, STORE
from pipeline.settings import Role
from pipeline.store.release import open_release
from tests.browser.served import CHROMIUM_FLAGS, find_chromium, serve

FOLDER = CHECKOUT / "docs" / "screenshots"
WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 1440, 900, 2600
SETTLE_MS = 3500
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

BOARD = (
    *("findings", "performance", "subgroups", "uncertainty", "elsewhere"),
    *("drivers", "explanations", "audits", "data"),
)
# A heart failure patient near the middle of the scale, the first by id: no picked case.
EXAMPLE = (
    "select min(subject_id) from patient_list where diagnosis = 'CHF' and death_180d_estimate between 0.37 and 0.45"
)


def main() -> None:
    """Writes a picture a page and theme."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium found: screenshots need one")
    release = open_release("support2", Role.CLINICIAN, store=STORE)
    [(example,)] = release.cursor().execute(EXAMPLE).fetchall()
    pages = {
        "start": "/",
        "clinician-list": "/patients",
        "clinician-patient": f"/patients?patient={example}",
        "administrator-outlook": "/outlook?role=administrator",
        **{f"ethics-{name}": f"/{name}?role=board" for name in BOARD},
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serve(STORE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for name, path in pages.items():
            for theme in THEMES:
                take(browser, address + path, FOLDER / f"{name}-{theme}.png", theme=theme)
        browser.close()


def take(browser: Browser, url: str, path: Path, *, theme: Literal["light", "dark"]) -> None:
    """Writes a picture of the whole page."""
    page = browser.new_page(viewport={"width": WIDTH, "height": LEAST_HEIGHT}, color_scheme=theme)
    page.goto(url)
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_timeout(SETTLE_MS)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(max(height, LEAST_HEIGHT), MOST_HEIGHT)})
    page.wait_for_timeout(SETTLE_MS // 2)
    page.screenshot(path=path)
    page.close()
    print(path.name)


if __name__ == "__main__":
    main()
