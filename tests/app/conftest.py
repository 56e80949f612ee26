"""The dashboard run without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
OpenApp = Callable[..., AppTest]


@pytest.fixture
def open_app(small_store: Path, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Runs the app on the small store: `open_app(page="views/…", role="board", patient=…)`."""
    st.config.set_option("server.address", "127.0.0.1")

    def open_page(page: str | None = None, *, store: Path = small_store, **query: str) -> AppTest:
        monkeypatch.setenv("WARDLIGHT_STORE", str(store))
        app = AppTest.from_file(str(APP), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(page)
            for name, value in query.items():
                app.query_params[name] = value
            app.run()
        assert not app.exception, app.exception
        return app

    return open_page
