"""What several tests share: a quick way to grow trees, a small real study, and a store with a release of it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pandas as pd
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from pipeline.models.boosting import Boosting
from pipeline.settings import Role
from pipeline.store.release import Release, open_release
from pipeline.study import Study, load_study
from tests.small_support2 import write_small_support2
from tests.synthetic import write_tiny_study

with warnings.catch_warnings():
    # shap asks matplotlib, where it is installed, for something that is about to go. Warnings are errors in tests, so
    # the first import of shap happens here.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    from pipeline.build import build_release

# The same examples every time, and no time limit: machines differ, results must not.
hypothesis.settings.register_profile("wardlight", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("wardlight")
set_hypothesis_home_dir(Path(__file__).parents[1] / ".pytest_cache" / "hypothesis")


class WriteStudy(Protocol):
    """Writes a tiny synthetic study into a folder; `sections` replace those of `tests.synthetic.SECTIONS`."""

    def __call__(self, folder: Path, *, frame: pd.DataFrame | None = None, **sections: Any) -> Path: ...


@pytest.fixture(scope="session")
def quick() -> Boosting:
    """Few trees: the way of the data is the same, the estimates are coarser."""
    return Boosting(max_rounds=40, patience=10, inner_folds=3, refits=3)


@pytest.fixture(scope="session")
def write_study() -> WriteStudy:
    """A factory of tiny synthetic studies."""
    return write_tiny_study


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny synthetic study as it is."""
    return load_study(write_tiny_study(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """About 1,600 patients of SUPPORT2 with every level, both phases, and moved and lost physiology."""
    return load_study(write_small_support2(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="session")
def small_store(small_study: Study, quick: Boosting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a published release of `small_study`. Nobody writes to it."""
    store = tmp_path_factory.mktemp("store")
    build_release(small_study, store=store, boosting=quick)
    return store


@pytest.fixture(scope="session")
def release_of(small_store: Path, small_study: Study) -> Callable[[Role], Release]:
    """Opens the release of `small_store` as a role sees it."""
    return lambda role: open_release(small_study.id, role, store=small_store)
