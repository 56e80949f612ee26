"""A build that is killed leaves the last release serving, and no litter that a later build does not remove."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.build import count_steps
from pipeline.settings import Role
from pipeline.store.release import CURRENT, current_release, open_release, published_releases, verify_release
from pipeline.study import load_study
from tests.conftest import WriteStudy
from tests.store_listing import list_store
from tests.synthetic import build_frame, only_item

KILLED, REACHED_THE_END = -9, 0
Build = Callable[[str], int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@pytest.fixture(scope="module")
def build(write_study: WriteStudy, folder: Path) -> Iterator[Build]:
    """Builds the tiny study until the stage that is named, there the process is killed; returns how it ended."""
    script = Path(__file__).with_name("build_and_die.py")
    # As little as makes a whole release: it is built some dozen times.
    study = write_study(folder / "study", frame=build_frame(120), subgroups=[], **only_item("targets", 0))
    command = [sys.executable, str(script), str(study), str(folder / "store")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdin is not None
        assert builder.stdout is not None
        stdin, stdout = builder.stdin, builder.stdout

        def build_until(stage: str) -> int:
            stdin.write(f"{stage}\n")
            stdin.flush()
            return int(stdout.readline())

        yield build_until
        stdin.close()


@pytest.fixture
def store(folder: Path, build: Build) -> Path:
    """A store that serves a whole release."""
    if not (folder / "store" / "tiny" / CURRENT).exists():
        assert build("end") == REACHED_THE_END
    return folder / "store"


def _serves(store: Path, release_id: str) -> bool:
    """Whether the release is the one that is served, is whole, and can be read by everybody."""
    assert verify_release(store / "tiny" / release_id) > 0
    for role in Role:
        cursor = open_release("tiny", role, store=store).cursor()
        assert cursor.execute("select release_id from release").fetchall() == [(release_id,)]
    return current_release("tiny", store=store) == release_id


def _litter(store: Path) -> list[str]:
    """What is in a store beside whole releases, the name of the one that is served, the salt and the lock."""
    home = store / "tiny"
    whole = {f"tiny/{name}" for name in published_releases(home) if verify_release(home / name)}
    expected = {"pseudonym.salt", "tiny", f"tiny/{CURRENT}", "tiny/.lock", *whole}
    found = {str(path.relative_to(store)) for path in (*store.iterdir(), *home.iterdir())}
    return sorted(found ^ expected)


def test_a_build_killed_at_any_step_leaves_the_last_release_serving_and_the_next_build_no_litter(
    store: Path, build: Build
) -> None:
    served = current_release("tiny", store=store)
    before = {name: state for name, state in list_store(store).items() if served in name or CURRENT in name}
    for step in range(1, count_steps(load_study(store.parent / "study")) + 1):
        assert build(str(step)) == KILLED
        assert _serves(store, served)
        left = list_store(store)
        assert {name: left[name] for name in before} == before
    assert _litter(store) != []
    assert build("end") == REACHED_THE_END
    assert current_release("tiny", store=store) != served
    assert _litter(store) == []


def test_a_build_killed_between_renaming_its_release_and_naming_it_leaves_the_last_one_serving(
    store: Path, build: Build
) -> None:
    served = current_release("tiny", store=store)
    for moment in ("before naming", "while naming"):
        assert build(moment) == KILLED
        assert _serves(store, served)
        assert _litter(store) != []
    assert build("end") == REACHED_THE_END
    assert _litter(store) == []
    assert served in published_releases(store / "tiny")


def test_a_build_killed_right_after_naming_its_release_or_while_removing_old_ones_has_published_it(
    store: Path, build: Build
) -> None:
    home = store / "tiny"
    first = current_release("tiny", store=store)
    assert build("after naming") == KILLED
    second = current_release("tiny", store=store)
    assert second != first
    assert _serves(store, second)
    for i in range(5):
        shutil.copytree(home / first, home / f"20200101-00000{i}")
    assert build("while pruning") == KILLED
    third = current_release("tiny", store=store)
    assert third not in (first, second)
    assert _serves(store, third)
    assert build("end") == REACHED_THE_END
    assert published_releases(home)[-4:-1] == [first, second, third]
    assert len(published_releases(home)) == 5
    assert _litter(store) == []


def test_a_build_killed_while_the_salt_is_made_leaves_nothing_that_the_next_does_not_remove(
    store: Path, build: Build
) -> None:
    # A new store: what this one holds is put aside.
    shutil.move(store, store.with_name("aside"))
    assert build("while making the salt") == KILLED
    assert not (store / "pseudonym.salt").exists()
    assert build("end") == REACHED_THE_END
    assert _serves(store, current_release("tiny", store=store))
    assert _litter(store) == []
