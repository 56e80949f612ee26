"""What users can get wrong: one clear message, exit status 1 (2 for usage), no traceback, and the store as it was."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.build import build_release
from pipeline.errors import WardlightError
from pipeline.hashing import sha256_of
from pipeline.models.boosting import Boosting
from pipeline.settings import Role
from pipeline.store.release import CURRENT, MANIFEST, STUDY, current_release, draft_release, open_release
from pipeline.study import load_study
from tests.command_line import Outcome, run_command, run_here
from tests.conftest import WriteStudy
from tests.store_listing import list_store
from tests.synthetic import SECTIONS, build_frame, only_item, with_item


@pytest.fixture(scope="module")
def served(write_study: WriteStudy, quick: Boosting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that serves a release of the tiny study. Nothing here may change it."""
    folder = tmp_path_factory.mktemp("served")
    build_release(load_study(write_study(folder / "study")), store=folder / "store", boosting=quick)
    return folder / "store"


def _assert_one_message(outcome: Outcome, *expected: str) -> None:
    assert outcome.status == 1, outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.count("wardlight: ") == 1
    message = outcome.err.split("wardlight: ", 1)[1]
    assert "\n  got: " in message
    assert "\n  to mend it: " in message
    for part in expected:
        assert part in message


# Studies and sources

Spoil = Callable[[WriteStudy, Path], Path]


def _missing_file(write: WriteStudy, folder: Path) -> Path:
    path = write(folder)
    (folder / "tiny.csv").unlink()
    return path


def _wrong_checksum(write: WriteStudy, folder: Path) -> Path:
    return write(folder, source={"kind": "csv", "path": "tiny.csv", "sha256": "a" * 64})


def _unreadable_csv(write: WriteStudy, folder: Path) -> Path:
    path = write(folder)
    (folder / "tiny.csv").write_bytes(build_frame().assign(ward="médical").to_csv(index=False).encode("latin-1"))
    return path


def _empty_csv(write: WriteStudy, folder: Path) -> Path:
    path = write(folder)
    (folder / "tiny.csv").write_bytes(b"")
    return path


def _unknown_key(write: WriteStudy, folder: Path) -> Path:
    return write(folder, **with_item("features", 2, colour="red"))


def _missing_column(write: WriteStudy, folder: Path) -> Path:
    return write(folder, frame=build_frame().drop(columns="lactate"))


def _undeclared_column(write: WriteStudy, folder: Path) -> Path:
    return write(folder, frame=build_frame().assign(postcode="1234"))


def _impossible_range(write: WriteStudy, folder: Path) -> Path:
    return write(folder, **with_item("features", 2, plausible=[20, 0.1]))


def _feature_is_target(write: WriteStudy, folder: Path) -> Path:
    return write(folder, **with_item("targets", 0, event="lactate > 4"))


def _empty_population(write: WriteStudy, folder: Path) -> Path:
    return write(folder, population=[{"keep": "age > 200", "why": "nobody"}])


def _one_class(write: WriteStudy, folder: Path) -> Path:
    return write(folder, frame=build_frame().assign(died=0))


def _wrong_expression(write: WriteStudy, folder: Path) -> Path:
    return write(folder, **with_item("targets", 1, value="nullif(price, 0)"), excluded=_all_excluded())


def _undeclared_level(write: WriteStudy, folder: Path) -> Path:
    levels = {"female": "Women", "other": "Others"}
    return write(folder, **with_item("subgroups", 0, levels=levels, reference="female"))


def _not_yaml(write: WriteStudy, folder: Path) -> Path:
    path = write(folder)
    path.write_text("id: [tiny\n", encoding="utf-8")
    return path


def _all_excluded() -> list[dict[str, str]]:
    return [{"column": column, "why": "-"} for column in ("pid", "died", "cost_usd", "nurse_risk")]


SPOILT: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "a missing file": (_missing_file, ("expected the source file of study 'tiny'", "tiny.csv", "--source DIR")),
    "a wrong checksum": (_wrong_checksum, ("expected tiny.csv with SHA-256 aaaa", "fetch the file again")),
    "a CSV in another encoding": (_unreadable_csv, ("expected tiny.csv to be a readable CSV", "encoding")),
    "an empty CSV": (_empty_csv, ("expected tiny.csv to be a readable CSV",)),
    "an unknown key": (_unknown_key, ("features.2.colour: this key is not known", "study.yaml line ")),
    "a missing column": (_missing_column, ("expected column 'lactate' in tiny.csv",)),
    "an undeclared column": (_undeclared_column, ("got: 1 that are not: postcode", "`excluded:`")),
    "an impossible range": (_impossible_range, ("features.2.plausible", "a range needs its lower end first")),
    "a feature that is also a target": (_feature_is_target, ("a feature cannot be part of a target: ['lactate']",)),
    "an empty population": (_empty_population, ("expected somebody left", "nobody after 'age > 200'")),
    "a target with one class": (_one_class, ("with and without the event of target 'death'", "0 events among 240")),
    "an expression over no column": (_wrong_expression, ("expected target 'cost' to be an SQL expression",)),
    "an undeclared level": (_undeclared_level, ("expected subgroup 'sex' to take the levels", "'male' in")),
    "a file that is not YAML": (_not_yaml, ("expected valid YAML",)),
}


@pytest.mark.parametrize("name", list(SPOILT))
def test_a_study_or_source_that_cannot_be_used_is_refused_and_the_store_stays_as_it_was(
    write_study: WriteStudy, served: Path, tmp_path: Path, name: str
) -> None:
    spoil, expected = SPOILT[name]
    path = spoil(write_study, tmp_path)
    before = list_store(served)
    _assert_one_message(run_here("check", path), *expected)
    _assert_one_message(run_here("build", path, "--store", served), *expected)
    assert list_store(served) == before
    assert run_here("query", "tiny", "select count(*) as n from subject", "--store", served, "--format", "csv").out == (
        "n\n240\n"
    )


def test_the_installed_command_says_the_same_and_exits_with_1(write_study: WriteStudy, tmp_path: Path) -> None:
    path = _missing_column(write_study, tmp_path)
    outcome = run_command("build", path, "--store", tmp_path / "store")
    _assert_one_message(outcome, "expected column 'lactate' in tiny.csv")


def test_a_study_that_is_not_there_is_named_beside_those_that_are(served: Path) -> None:
    for command in (("check", "no-such-study"), ("build", "no-such-study", "--store", served)):
        _assert_one_message(run_here(*command), "an id under data/", "got: no-such-study", "support2")


def test_a_source_folder_without_the_file_is_named(write_study: WriteStudy, tmp_path: Path) -> None:
    outcome = run_here("check", write_study(tmp_path / "study"), "--source", tmp_path)
    _assert_one_message(outcome, f"no file {tmp_path / 'tiny.csv'}")


@pytest.mark.parametrize("command", ["check", "build"])
def test_a_source_that_cannot_be_read_is_named_and_not_the_store(
    write_study: WriteStudy, tmp_path: Path, command: str
) -> None:
    # The first byte of a process's memory cannot be read by anybody, so this fails for root too.
    path = write_study(tmp_path, source={"kind": "csv", "path": "/proc/self/mem"})
    store = ("--store", tmp_path / "store") if command == "build" else ()
    outcome = run_here(command, path, *store)
    _assert_one_message(outcome, "mem")
    assert "expected a store that can be written" not in outcome.err


# Studies that are odd and may be meant

ODD: dict[str, dict[str, Any]] = {
    "one event": {"frame": build_frame().assign(died=lambda f: (f.index == 7).astype(int))},
    "five events": {"frame": build_frame().assign(died=lambda f: (f.index < 5).astype(int))},
    "an event that is 0, 1 or 2": with_item("targets", 0, event="died + (cost_usd > 3000)::int"),
    "costs of five patients": {"frame": build_frame().assign(cost_usd=lambda f: f["cost_usd"].where(f.index < 5, 0))},
    "an infinite cost": {"frame": build_frame().assign(cost_usd=lambda f: f["cost_usd"].where(f.index > 0, np.inf))},
    "a ceiling for a leak on a cost": with_item("targets", 1, suspect_above=0.9),
    "a negative seed": {"splits": {"folds": 3, "seed": -1}},
    "a seed of more than 32 bits": {"splits": {"folds": 3, "seed": 2**40}},
    "a range without an upper end": with_item("features", 0, plausible=[18, float("inf")]),
    "a feature called subject_id": with_item("features", 3, id="subject_id", column="ward"),
    "a feature called target_id": with_item("features", 3, id="target_id", column="ward"),
    "a feature called base_value": with_item("features", 3, id="base_value", column="ward"),
    "two features of one column": {
        "features": [
            *SECTIONS["features"],  # type: ignore[misc]
            {
                "id": "old",
                "column": "age",
                "label": "Old",
                "concept": "Person",
                "kind": "category",
                "levels": {"x": "x"},
            },
        ]
    },
    "an age in bands": {
        "frame": build_frame().assign(age=lambda f: np.where(f["age"].astype(float) < 50, "young", "old")),
        "population": [],
        "subgroups": [],
        "headline": [],
        **with_item("features", 0, kind="category", plausible=None, levels={"young": "young", "old": "old"}, unit=None),
    },
    "a number that is an attribute too, with gaps": {
        "frame": build_frame().assign(grade=lambda f: ["" if i % 5 == 0 else str(i % 3) for i in f.index]),
        "features": [
            *SECTIONS["features"],  # type: ignore[misc]
            {"id": "grade", "label": "Grade", "concept": "Person", "kind": "integer"},
        ],
        "subgroups": [
            {"id": "grade", "label": "G", "column": "grade", "levels": {"0": "A", "1": "B", "2": "C"}, "reference": "0"}
        ],
    },
    "a baseline called subject_id": with_item("baselines", 0, id="subject_id"),
    "a risk in percent": with_item("baselines", 0, risk="nurse_risk * 100"),
    "a scope that refuses everybody": {
        "frame": build_frame().assign(lactate=None),
        "scope": {"most_missing": 0, "distance_quantile": 0.999},
    },
    "so few patients that nothing can be learnt": {"frame": build_frame(60)},
}


@pytest.mark.parametrize("name", list(ODD))
def test_an_odd_study_is_built_or_refused_with_a_message(
    write_study: WriteStudy, quick: Boosting, tmp_path: Path, name: str
) -> None:
    path = write_study(tmp_path, **ODD[name])
    message = ""
    # Any other error is a bug, and shows.
    try:
        build_release(load_study(path), store=tmp_path / "store", boosting=quick)
    except WardlightError as error:
        message = str(error)
    assert ("got: " in message) == bool(message)


SPARSE: dict[str, dict[str, Any]] = {
    "no baseline": {"baselines": [], "excluded": _all_excluded()},
    "no subgroup": {"subgroups": []},
    "no threshold": {"thresholds": {}},
    "no population step": {"population": []},
    "no outcome": {
        **only_item("targets", 1),
        "baselines": [],
        "thresholds": {},
        "excluded": _all_excluded(),
    },
    "no cost": only_item("targets", 0),
    "an outcome that was not observed for everybody": with_item(
        "targets", 0, event="case when nurse_risk < 0.9 then died = 1 end"
    ),
    "a feature that nobody has": {"frame": build_frame().assign(lactate=None)},
    "a feature that never varies": {"frame": build_frame().assign(lactate=1.5)},
    "a baseline that says nothing": {"frame": build_frame().assign(nurse_risk=None)},
    "a baseline that says something of a few": {
        "frame": build_frame().assign(nurse_risk=lambda f: f["nurse_risk"].where(f.index < 15))
    },
    "an attribute with one level": {"frame": build_frame().assign(sex="male")},
    "sites too small to learn from": {
        "subgroups": [
            {
                "id": "site",
                "label": "Site",
                "value": "case when age < 25 then 'small' else 'large' end",
                "levels": {"small": "Small", "large": "Large"},
                "reference": "large",
            }
        ],
        "validation": [{"attribute": "site"}],
    },
}


@pytest.mark.parametrize("name", list(SPARSE))
def test_a_study_that_leaves_something_out_is_built(
    write_study: WriteStudy, quick: Boosting, tmp_path: Path, name: str
) -> None:
    study = load_study(write_study(tmp_path, **SPARSE[name]))
    build_release(study, store=tmp_path / "store", boosting=quick)
    release = open_release(study.id, Role.CLINICIAN, store=tmp_path / "store")
    n = release.cursor().execute("select count(*), count(distinct target_id) from prediction").fetchall()
    assert n == [(240 * len(study.targets), len(study.targets))]


def test_a_level_that_was_not_recorded_is_measured_even_where_the_attribute_is_a_feature_too(
    write_study: WriteStudy, quick: Boosting, tmp_path: Path
) -> None:
    frame = build_frame()
    frame.loc[:59, "sex"] = None
    study = load_study(write_study(tmp_path, frame=frame))
    build_release(study, store=tmp_path / "store", boosting=quick)
    cursor = open_release(study.id, Role.CLINICIAN, store=tmp_path / "store").cursor()
    sql = "select level, any_value(n) from group_total where attribute = 'sex' group by 1"
    scored = "select count(*) from subject join prediction using (subject_id) where target_id = 'death' "
    scored += "and status = 'scored' and sex = 'missing'"
    assert dict(cursor.execute(sql).fetchall())["missing"] == cursor.execute(scored).fetchall()[0][0] > 50


# Stores


@pytest.mark.parametrize("name", ["a file", "below a file", "where nobody can write"])
def test_a_store_that_cannot_be_written_is_named(write_study: WriteStudy, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    stores = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "store",
        "where nobody can write": Path("/proc/store"),
    }
    path = write_study(tmp_path / "study")
    outcome = run_here("build", path, "--store", stores[name])
    _assert_one_message(outcome, "expected a store that can be written", str(stores[name]), "--store DIR")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "not a folder"


_ON_A_FULL_DISK = """
import resource, sys
import pipeline.build
from pipeline.cli import main
from pipeline.models.boosting import Boosting
pipeline.build.Boosting = lambda: Boosting(max_rounds=10, patience=5, inner_folds=3, refits=2)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
main()
"""


def test_a_disk_that_fills_up_is_one_message_and_the_last_release_stays(
    write_study: WriteStudy, served: Path, tmp_path: Path
) -> None:
    before = list_store(served)
    arguments = ["build", str(write_study(tmp_path)), "--store", str(served)]
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, *arguments], capture_output=True, text=True, check=False
    )
    assert list_store(served) == before
    _assert_one_message(Outcome(done.returncode, done.stdout, done.stderr), "expected a store that can be written")


def test_a_failed_build_does_not_even_touch_a_file_of_the_release_that_is_served(
    write_study: WriteStudy, served: Path, tmp_path: Path
) -> None:
    release = _release(served)
    before = {path: path.stat().st_mtime_ns for path in release.rglob("*")}
    assert run_here("build", _one_class(write_study, tmp_path), "--store", served).status == 1
    assert {path: path.stat().st_mtime_ns for path in release.rglob("*")} == before


def test_a_build_beside_another_of_the_same_study_is_refused(
    write_study: WriteStudy, served: Path, tmp_path: Path
) -> None:
    path = write_study(tmp_path)
    with draft_release("tiny", store=served):
        outcome = run_here("build", path, "--store", served)
    _assert_one_message(outcome, "expected to be the only build of 'tiny'", "another one is running")


@pytest.mark.parametrize(
    "arguments",
    [("query", "tiny", "select 1"), ("verify", "tiny"), ("serve",)],
    ids=["query", "verify", "serve"],
)
@pytest.mark.parametrize("there", ["an empty store", "no store"])
def test_a_store_without_a_release_says_how_to_build_one(
    tmp_path: Path, arguments: tuple[str, ...], there: str
) -> None:
    store = tmp_path / "store"
    if there == "an empty store":
        store.mkdir()
    _assert_one_message(run_here(*arguments, "--store", store), "expected a release", "wardlight build")
    assert store.exists() == (there == "an empty store")
    assert not list(store.glob("*"))


def test_the_installed_command_exits_with_1_where_there_is_no_release(tmp_path: Path) -> None:
    _assert_one_message(run_command("serve", "--store", tmp_path), "expected a release")


def test_a_release_of_another_study_does_not_help(served: Path) -> None:
    _assert_one_message(run_here("query", "support2", "select 1", "--store", served), "study 'support2'")


# Damaged releases


@pytest.fixture
def spoilt(served: Path, tmp_path: Path) -> Path:
    """A copy of the store that a test may damage; in a folder of its own, since checks are remembered."""
    return Path(shutil.copytree(served, tmp_path / "store"))


def _release(store: Path) -> Path:
    return store / "tiny" / current_release("tiny", store=store)


def _flip_a_byte(store: Path) -> None:
    file = _release(store) / "clinician.duckdb"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def _lose_a_model(store: Path) -> None:
    (_release(store) / "models" / "death_fold0.ubj").unlink()


def _change_the_manifest(store: Path) -> None:
    (_release(store) / MANIFEST).write_text("not JSON", encoding="utf-8")


def _lose_the_release(store: Path) -> None:
    _release(store).rename(store / "elsewhere")


def _name_nonsense(store: Path) -> None:
    (store / "tiny" / CURRENT).write_text("nonsense\n", encoding="utf-8")


def _name_nothing(store: Path) -> None:
    (store / "tiny" / CURRENT).write_text("", encoding="utf-8")


def _name_in_no_letters(store: Path) -> None:
    (store / "tiny" / CURRENT).write_bytes(b"\xff\xfe\xfa")


def _say_what_this_code_does_not_know(store: Path) -> None:
    """As a release would look that another version of the code has built."""
    folder = _release(store)
    study = json.loads((folder / STUDY).read_text(encoding="utf-8")) | {"needs": []}
    (folder / STUDY).write_text(json.dumps(study), encoding="utf-8")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][STUDY] = sha256_of(folder / STUDY)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


DAMAGES = [
    _flip_a_byte,
    _lose_a_model,
    _change_the_manifest,
    _lose_the_release,
    _name_nonsense,
    _name_nothing,
    _name_in_no_letters,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_named_and_left_as_it_is(spoilt: Path, damage: Callable[[Path], None]) -> None:
    damage(spoilt)
    before = list_store(spoilt)
    for arguments in (("query", "tiny", "select 1"), ("verify", "tiny")):
        outcome = run_here(*arguments, "--store", spoilt)
        _assert_one_message(outcome, "as it was published", "wardlight build tiny")
    assert list_store(spoilt) == before


def test_a_release_of_another_version_of_the_code_is_one_message(spoilt: Path) -> None:
    _say_what_this_code_does_not_know(spoilt)
    _assert_one_message(run_here("query", "tiny", "select 1", "--store", spoilt), "wardlight build tiny")


def test_the_installed_command_exits_with_1_on_a_damaged_release_and_a_build_mends_it(
    write_study: WriteStudy, quick: Boosting, spoilt: Path, tmp_path: Path
) -> None:
    _flip_a_byte(spoilt)
    _assert_one_message(run_command("verify", "tiny", "--store", spoilt), "clinician.duckdb has changed")
    build_release(load_study(write_study(tmp_path / "study")), store=spoilt, boosting=quick)
    assert run_here("verify", "tiny", "--store", spoilt).status == 0


# Queries and usage


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("selec 1", "syntax error"),
        ("select x from release", "x"),
        ("drop table release", "read-only"),
        ("", "expected a query that gives rows"),
        ("select * from read_csv('/etc/hostname')", "disabled by configuration"),
    ],
)
def test_wrong_sql_is_one_message(served: Path, sql: str, expected: str) -> None:
    before = list_store(served)
    _assert_one_message(run_here("query", "tiny", sql, "--store", served), expected)
    assert list_store(served) == before


def test_a_table_that_a_role_does_not_have_is_one_message(served: Path) -> None:
    outcome = run_here("query", "tiny", "from prediction", "--role", "board", "--store", served)
    _assert_one_message(outcome, "the tables that the board has", "`show tables`")


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "tiny", "select 1", "--role", "nurse"),
        ("query", "tiny", "select 1", "--format", "xml"),
        ("query", "tiny"),
        ("query",),
        ("build",),
        ("build", "tiny", "--no-such-option"),
        ("serve", "--port", "0"),
        ("serve", "--port", "eighty"),
        ("no-such-command",),
    ],
)
def test_wrong_usage_exits_with_2_and_says_how_it_is_used(served: Path, arguments: tuple[str, ...]) -> None:
    outcome = run_here(*arguments)
    assert outcome.status == 2
    assert "Usage: wardlight" in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""


def test_the_installed_command_exits_with_2_on_wrong_usage(served: Path) -> None:
    outcome = run_command("query", "tiny", "select 1", "--role", "nurse", "--store", served)
    assert outcome.status == 2
    assert "nurse" in outcome.err
    assert all(str(role) in outcome.err for role in Role)


def test_a_failed_first_build_leaves_no_release_and_nothing_that_hides_that(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    outcome = run_here("build", _one_class(write_study, tmp_path / "study"), "--store", store)
    _assert_one_message(outcome, "with and without the event")
    assert not [path for path in store.glob("tiny/*") if path.name != ".lock"]
    _assert_one_message(run_here("serve", "--store", store), "expected a release")
