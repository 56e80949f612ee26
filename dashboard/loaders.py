"""Cached, read-only access to what has been published. Nothing here is SQL: that is in pipeline/store/reads.py."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import duckdb
import streamlit as st

from pipeline.paths import STORE
from pipeline.settings import Role
from pipeline.store.release import Release, current_release, open_release, require_any_release, require_contract

P = ParamSpec("P")
T = TypeVar("T")
Read = Callable[Concatenate[duckdb.DuckDBPyConnection, P], T]


def store_folder() -> Path:
    """The store that `wardlight serve --store` names, else the checkout's own."""
    return Path(os.environ.get("WARDLIGHT_STORE", STORE))


def published_studies() -> list[str]:
    """The ids of the studies that can be looked at.

    Raises:
        StoreError: there is none.
    """
    return require_any_release(store_folder())


def load_release(study_id: str, role: Role) -> Release:
    """The current release as the role may see it: looked up at every page run, opened once.

    Raises:
        StoreError: there is none, or it is damaged.
    """
    store = store_folder()
    return _open(str(store), study_id, role, current_release(study_id, store=store))


def read(release: Release, function: Read[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function of `pipeline.store.reads` says of the release, remembered for this release and role."""
    name = f"{function.__module__}.{function.__name__}"
    result: T = _read(release, (str(release.folder), release.role), name, function, args, kwargs)
    return result


# As many as there may be studies × roles in use, twice over for the change to a new release.
@st.cache_resource(max_entries=24, show_spinner="Opening the release and comparing its checksums …")
def _open(store: str, study_id: str, role: Role, release_id: str) -> Release:
    return require_contract(open_release(study_id, role, store=Path(store), release_id=release_id))


@st.cache_data(max_entries=1024, show_spinner=False)
def _read(_release: Release, key: tuple[str, Role], name: str, _function: Any, args: Any, kwargs: Any) -> Any:
    return _function(_release.cursor(), *args, **kwargs)
