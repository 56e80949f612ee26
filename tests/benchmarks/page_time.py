"""Server time of the clinician's pages on the published store: `make bench`. Prints; asserts nothing."""

import random
import statistics
import time

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.loaders import published_studies, store_folder
from pipeline.paths import CHECKOUT
from pipeline.settings import Role
from pipeline.store.release import open_release

REPEATS = 20
PATIENTS = "views/clinician/patients.py"


def main() -> None:
    """Times full page runs with other patients and other pages of the list each time, so that little is cached."""
    st.config.set_option("server.address", "127.0.0.1")
    study = published_studies()[0]
    release = open_release(study, Role.CLINICIAN, store=store_folder())
    ids = [row[0] for row in release.cursor().execute("select subject_id from subject order by 1").fetchall()]
    random.seed(1)
    app = AppTest.from_file(str(CHECKOUT / "dashboard" / "app.py"), default_timeout=120).run()
    app.switch_page(PATIENTS).run()
    pages = random.sample(range(1, max(len(ids) // 14, 2)), k=min(REPEATS, len(ids) // 14))
    report("a page of the list", [timed(app, page=str(page)) for page in pages])
    app.query_params.clear()
    report("a patient's page", [timed(app, patient=subject) for subject in random.sample(ids, k=REPEATS)])


def timed(app: AppTest, **query: str) -> float:
    """The seconds of one run with these query parameters."""
    for name, value in query.items():
        app.query_params[name] = value
    start = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - start
    if app.exception:
        raise RuntimeError(str(app.exception))
    return seconds


def report(what: str, seconds: list[float]) -> None:
    """Prints median and worst in milliseconds."""
    median, worst = 1000 * statistics.median(seconds), 1000 * max(seconds)
    print(f"{what}: median {median:.0f} ms, worst {worst:.0f} ms of {len(seconds)}")


if __name__ == "__main__":
    main()
