"""Releases: published whole or not at all, one writer at a time, checked before they are read."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import StoreError
from pipeline.hashing import sha256_of
from pipeline.settings import Role
from pipeline.store import release as release_module
from pipeline.store.release import (
    CURRENT,
    MANIFEST,
    PUBLISHED,
    STUDY,
    current_release,
    draft_release,
    make_current,
    open_release,
    publish,
    published_releases,
    read_manifest,
    require_any_release,
    store_salt,
    studies_with_release,
    verify_release,
)
from pipeline.study import Study

Publish = Callable[..., Path]


@pytest.fixture(name="publish_mark")
def publish_fixture(tiny_study: Study) -> Publish:
    """Publishes a release whose files hold nothing but a mark: `publish_mark(store, mark)`."""
    return partial(_publish_mark, tiny_study)


def _publish_mark(study: Study, store: Path, mark: str = "first") -> Path:
    with draft_release("tiny", store=store) as draft:
        for role in Role:
            with duckdb.connect(str(draft.file_of(role))) as con:
                con.execute(f"create table mark as select '{mark}' as text, '{role}' as role")
        (draft.models / "model.ubj").write_text(mark)
        return publish(draft, study, {"study_id": study.id})


def _mark(store: Path, role: Role = Role.CLINICIAN) -> tuple[str, str]:
    row: tuple[str, str] = open_release("tiny", role, store=store).cursor().execute("from mark").fetchall()[0]
    return row


def _entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_published_release_is_the_one_that_is_served_and_its_draft_is_gone(
    publish_mark: Publish, tmp_path: Path
) -> None:
    folder = publish_mark(tmp_path)
    assert current_release("tiny", store=tmp_path) == folder.name
    assert _entries(tmp_path / "tiny") == {CURRENT, ".lock", folder.name}
    assert _entries(folder) == {*(f"{role}.duckdb" for role in Role), "models", MANIFEST, PUBLISHED, STUDY}
    assert studies_with_release(tmp_path) == require_any_release(tmp_path) == ["tiny"]


def test_the_manifest_holds_the_checksum_of_every_file(publish_mark: Publish, tmp_path: Path) -> None:
    folder = publish_mark(tmp_path)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["study_id"] == "tiny"
    assert manifest["release_id"] == folder.name
    assert manifest["files"] == {
        name: sha256_of(folder / name) for name in (*(f"{role}.duckdb" for role in Role), "models/model.ubj", STUDY)
    }
    assert verify_release(folder) == len(manifest["files"]) == 5


def test_each_role_reads_a_file_of_its_own(publish_mark: Publish, tmp_path: Path) -> None:
    publish_mark(tmp_path)
    assert [_mark(tmp_path, role) for role in Role] == [("first", str(role)) for role in Role]


def test_what_fails_leaves_the_last_release_and_no_draft(publish_mark: Publish, tmp_path: Path) -> None:
    folder = publish_mark(tmp_path)
    with pytest.raises(IndexError), draft_release("tiny", store=tmp_path) as draft:
        _ = [(draft.folder / "half").write_text("half")][1]
    assert current_release("tiny", store=tmp_path) == folder.name
    assert _entries(tmp_path / "tiny") == {CURRENT, ".lock", folder.name}


def test_releases_of_one_second_have_different_ids_in_their_order(publish_mark: Publish, tmp_path: Path) -> None:
    names = [publish_mark(tmp_path, str(i)).name for i in range(4)]
    assert len(set(names)) == 4
    assert published_releases(tmp_path / "tiny") == names == sorted(names)


@pytest.fixture
def _one_release_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids as they are where builds take longer than a second: none is used again once its release was removed."""
    ids = (f"20260101-0000{second:02d}" for second in range(60))
    monkeypatch.setattr(release_module, "_new_release_id", lambda home: next(ids))


@pytest.mark.usefixtures("_one_release_a_second")
def test_the_last_five_releases_are_kept(publish_mark: Publish, tmp_path: Path) -> None:
    names = [publish_mark(tmp_path, str(i)).name for i in range(7)]
    assert published_releases(tmp_path / "tiny") == names[-5:]
    assert _entries(tmp_path / "tiny") == {CURRENT, ".lock", *names[-5:]}
    assert _mark(tmp_path) == ("6", "clinician")


def test_an_older_release_can_be_opened_by_its_id_and_served_again(publish_mark: Publish, tmp_path: Path) -> None:
    first, second = publish_mark(tmp_path, "first"), publish_mark(tmp_path, "second")
    old = open_release("tiny", Role.BOARD, store=tmp_path, release_id=first.name)
    assert old.cursor().execute("select text from mark").fetchall() == [("first",)]
    assert _mark(tmp_path)[0] == "second"
    make_current(tmp_path / "tiny", first.name)
    assert _mark(tmp_path)[0] == "first"
    assert second.is_dir()


@pytest.mark.usefixtures("_one_release_a_second")
def test_a_reader_keeps_the_release_it_opened(publish_mark: Publish, tmp_path: Path) -> None:
    publish_mark(tmp_path, "first")
    reader = open_release("tiny", Role.CLINICIAN, store=tmp_path)
    for i in range(7):
        publish_mark(tmp_path, f"later {i}")
    assert reader.cursor().execute("select text from mark").fetchall() == [("first",)]
    assert _mark(tmp_path)[0] == "later 6"


def test_a_release_cannot_be_written_to(publish_mark: Publish, tmp_path: Path) -> None:
    publish_mark(tmp_path)
    cursor = open_release("tiny", Role.CLINICIAN, store=tmp_path).cursor()
    with pytest.raises(duckdb.Error, match="read-only"):
        cursor.execute("create table other as select 1")


def test_a_release_can_be_read_from_several_threads_at_once(publish_mark: Publish, tmp_path: Path) -> None:
    publish_mark(tmp_path)
    release = open_release("tiny", Role.CLINICIAN, store=tmp_path)
    found: list[int] = []

    def read() -> None:
        found.append(release.cursor().execute("select sum(range) from range(100000)").fetchall()[0][0])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [4999950000] * 8


def _change(folder: Path) -> None:
    (folder / "models" / "model.ubj").write_text("other")


def _remove(folder: Path) -> None:
    (folder / "board.duckdb").unlink()


def _add(folder: Path) -> None:
    (folder / "models" / "extra.ubj").write_text("extra")


def _break_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


def _empty_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{}")


def _remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _cut(folder: Path) -> None:
    file = folder / "clinician.duckdb"
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_change, "models/model.ubj has changed"),
        (_remove, "board.duckdb is missing"),
        (_add, "models/extra.ubj is not part of it"),
        (_cut, "clinician.duckdb has changed"),
        (_break_manifest, "manifest.json cannot be read (JSONDecodeError)"),
        (_empty_manifest, "manifest.json cannot be read (KeyError)"),
        (_remove_manifest, "manifest.json cannot be read (FileNotFoundError)"),
    ],
)
def test_a_damaged_release_is_not_opened_and_the_damage_is_named(
    publish_mark: Publish, tmp_path: Path, damage: Callable[[Path], None], found: str
) -> None:
    folder = publish_mark(tmp_path)
    damage(folder)
    for call in (lambda: verify_release(folder), lambda: open_release("tiny", Role.CLINICIAN, store=tmp_path)):
        with pytest.raises(StoreError, match="as it was published") as caught:
            call()
        assert f"got: {found}" in str(caught.value)
        assert "wardlight build tiny" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff\xfe", b"../other\n", b"20200101-000000\n"])
def test_a_name_that_leads_to_no_release_is_shown(publish_mark: Publish, tmp_path: Path, content: bytes) -> None:
    publish_mark(tmp_path)
    (tmp_path / "tiny" / CURRENT).write_bytes(content)
    with pytest.raises(StoreError, match="as it was published") as caught:
        open_release("tiny", Role.CLINICIAN, store=tmp_path)
    assert repr(content) in str(caught.value)
    assert "wardlight build tiny" in str(caught.value)
    # A build mends it.
    publish_mark(tmp_path, "second")
    assert _mark(tmp_path)[0] == "second"


def test_checksums_are_compared_once_a_process(
    publish_mark: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = publish_mark(tmp_path)
    compared: list[Path] = []

    def count(path: Path) -> int:
        compared.append(path)
        return verify_release(path)

    monkeypatch.setattr(release_module, "verify_release", count)
    for role in Role:
        open_release("tiny", role, store=tmp_path)
    assert compared == [folder]


def test_a_release_that_was_damaged_and_mended_can_be_opened(publish_mark: Publish, tmp_path: Path) -> None:
    folder = publish_mark(tmp_path)
    content = (folder / "models" / "model.ubj").read_text()
    _change(folder)
    with pytest.raises(StoreError):
        open_release("tiny", Role.CLINICIAN, store=tmp_path)
    (folder / "models" / "model.ubj").write_text(content)
    assert _mark(tmp_path) == ("first", "clinician")


def test_a_store_without_a_release_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected a release of study 'tiny'") as caught:
        open_release("tiny", Role.CLINICIAN, store=tmp_path)
    assert "wardlight build tiny" in str(caught.value)
    with pytest.raises(StoreError, match="got: none yet"):
        require_any_release(tmp_path)
    assert studies_with_release(tmp_path / "nowhere") == []


def test_only_one_build_of_a_study_writes_at_a_time(tmp_path: Path) -> None:
    with draft_release("tiny", store=tmp_path) as draft:
        with (
            pytest.raises(StoreError, match="expected to be the only build of 'tiny'"),
            draft_release("tiny", store=tmp_path),
        ):
            pass
        # The one that came first is not disturbed.
        assert draft.models.is_dir()
        with draft_release("other", store=tmp_path) as other:
            assert other.models.is_dir()
    with draft_release("tiny", store=tmp_path) as again:
        assert again.models.is_dir()


def test_what_a_killed_build_left_is_removed_by_the_next(publish_mark: Publish, tmp_path: Path) -> None:
    served = publish_mark(tmp_path, "served")
    home = tmp_path / "tiny"
    # Killed while writing, while naming the new release, and between the renaming and the naming.
    (home / ".draft-20200101-000000" / "models").mkdir(parents=True)
    (home / ".draft-20200101-000000" / "models" / "half.ubj").write_text("half")
    (home / ".draft-current").write_text("20200101-000000\n")
    shutil.copytree(served, home / "20200101-000001", ignore=shutil.ignore_patterns(PUBLISHED))
    latest = publish_mark(tmp_path, "latest")
    assert _entries(home) == {CURRENT, ".lock", served.name, latest.name}


def test_a_build_that_was_killed_right_after_naming_its_release_counts_as_published(
    publish_mark: Publish, tmp_path: Path
) -> None:
    served = publish_mark(tmp_path)
    (served / PUBLISHED).unlink()
    assert _mark(tmp_path) == ("first", "clinician")
    latest = publish_mark(tmp_path, "latest")
    assert published_releases(tmp_path / "tiny") == [served.name, latest.name]


def test_the_name_of_the_served_release_is_replaced_and_never_half_written(
    publish_mark: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish_mark(tmp_path)
    with monkeypatch.context() as patch:

        def fail(self: Path, target: Path) -> Path:
            raise KeyboardInterrupt

        patch.setattr(Path, "replace", fail)
        with pytest.raises(KeyboardInterrupt):
            publish_mark(tmp_path, "second")
    assert _mark(tmp_path) == ("first", "clinician")
    third = publish_mark(tmp_path, "third")
    assert _entries(tmp_path / "tiny") == {CURRENT, ".lock", first.name, third.name}


@pytest.mark.parametrize("name", ["a file", "below a file", "nobody can write there"])
def test_a_store_that_cannot_be_written_is_named(publish_mark: Publish, tmp_path: Path, name: str) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    store = {"a file": file, "below a file": file / "store", "nobody can write there": Path("/proc/store")}[name]
    for call in (lambda: publish_mark(store), lambda: store_salt(store)):
        with pytest.raises(StoreError, match="expected a store that can be written") as caught:
            call()
        assert str(store) in str(caught.value)
        assert "--store DIR" in str(caught.value)
    assert file.read_text() == "not a folder"


def test_the_salt_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    salt = store_salt(tmp_path / "one")
    assert len(salt) == 32
    assert store_salt(tmp_path / "one") == salt
    assert store_salt(tmp_path / "two") != salt
    assert (tmp_path / "one" / "pseudonym.salt").stat().st_mode & 0o777 == 0o600
    assert _entries(tmp_path / "one") == {"pseudonym.salt"}


def test_of_two_builds_that_make_the_salt_at_the_same_time_both_use_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = b"1" * 32

    def come_second(source: Path, target: Path) -> None:
        target.write_bytes(first)
        raise FileExistsError

    monkeypatch.setattr(os, "link", come_second)
    assert store_salt(tmp_path) == first
    assert _entries(tmp_path) == {"pseudonym.salt"}


def test_the_manifest_of_a_release_can_be_read(publish_mark: Publish, tmp_path: Path) -> None:
    folder = publish_mark(tmp_path)
    assert read_manifest(folder)["release_id"] == folder.name


def test_a_release_knows_its_study_as_it_was_when_it_was_built(
    publish_mark: Publish, tiny_study: Study, tmp_path: Path
) -> None:
    folder = publish_mark(tmp_path)
    study = open_release("tiny", Role.BOARD, store=tmp_path).study
    assert study == tiny_study.model_copy(update={"folder": folder})
    assert study.sha256 == tiny_study.sha256
