"""Releases: written under a temporary name, verified, renamed, and only then named by CURRENT.

A build that is killed at any point leaves the last release serving; what it left behind is removed by the next build.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import StoreError
from pipeline.hashing import sha256_of
from pipeline.paths import STORE
from pipeline.settings import Role
from pipeline.store.tables import TABLES
from pipeline.study.model import Study

CURRENT, MANIFEST, PUBLISHED, STUDY = "CURRENT", "manifest.json", "PUBLISHED", "study.json"
_DRAFT_PREFIX = ".draft-"
_KEPT_RELEASES = 5
_SALT_BYTES = 32

# The same for every connection of a process: DuckDB refuses a file opened twice with different settings.
_READ_ONLY: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "lock_configuration": "true",
    "memory_limit": "1GB",
    "threads": "1",
}


@dataclass(frozen=True)
class Release:
    """A release opened for one role. Take a cursor for each call: connections are not shared between threads."""

    study_id: str
    release_id: str
    role: Role
    folder: Path
    con: duckdb.DuckDBPyConnection
    study: Study

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.con.cursor()


@dataclass(frozen=True)
class Draft:
    """A release being written."""

    folder: Path
    release_id: str

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def file_of(self, role: Role) -> Path:
        return self.folder / f"{role}.duckdb"


@contextmanager
def draft_release(study_id: str, *, store: Path = STORE) -> Iterator[Draft]:
    """A draft that is removed again unless `publish` renamed it. Only one build of a study writes at a time.

    Raises:
        StoreError: the store cannot be written, or another build of this study is running.
    """
    home = store / study_id
    with _build_lock(home):
        _remove_litter(home)
        release_id = _new_release_id(home)
        draft = Draft(home / f"{_DRAFT_PREFIX}{release_id}", release_id)
        try:
            with writing(home):
                draft.models.mkdir(parents=True)
            yield draft
        finally:
            shutil.rmtree(draft.folder, ignore_errors=True)


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Wraps what writes to the store.

    Raises:
        StoreError: it cannot be written, for instance because the disk is full.
    """
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        raise _cannot_write(home, error) from None


def publish(draft: Draft, study: Study, manifest: dict[str, Any]) -> Path:
    """Seals the draft with the checksum of every file, and makes it the release that is served; returns its folder.

    The study goes with it as it was when it was built: what a reader sees never mixes two versions of it.
    """
    (draft.folder / STUDY).write_text(study.model_dump_json(indent=1) + "\n")
    files = {str(p.relative_to(draft.folder)): sha256_of(p) for p in sorted(draft.folder.rglob("*")) if p.is_file()}
    text = json.dumps({**manifest, "release_id": draft.release_id, "files": files}, indent=2) + "\n"
    (draft.folder / MANIFEST).write_text(text)
    home = draft.folder.parent
    folder = home / draft.release_id
    draft.folder.rename(folder)
    make_current(home, draft.release_id)
    for old in published_releases(home)[:-_KEPT_RELEASES]:
        if old != draft.release_id:
            shutil.rmtree(home / old)
    return folder


def make_current(home: Path, release_id: str) -> None:
    """Names `release_id` as the one being served, atomically."""
    new = home / f"{_DRAFT_PREFIX}current"
    new.write_text(release_id + "\n")
    new.replace(home / CURRENT)
    (home / release_id / PUBLISHED).touch()


def published_releases(home: Path) -> list[str]:
    """The releases of a study, oldest first."""
    return sorted(marker.parent.name for marker in home.glob(f"*/{PUBLISHED}"))


def current_release(study_id: str, *, store: Path = STORE) -> str:
    """The id of the release being served.

    Raises:
        StoreError: nothing has been published.
    """
    home = store / study_id
    if not (home / CURRENT).is_file():
        raise StoreError(
            f"expected a release of study {study_id!r}",
            got="none in the store",
            mend=f"build one: wardlight build {study_id}",
        )
    release_id = _read_pointer(home)
    if release_id is None or not (home / release_id).is_dir():
        raise StoreError(
            f"expected {home / CURRENT} to name a release as it was published",
            got=repr((home / CURRENT).read_bytes()[:40]),
            mend=f"build it anew: wardlight build {study_id}",
        )
    return release_id


def _read_pointer(home: Path) -> str | None:
    """The release that CURRENT names; None if it is absent or no such name."""
    try:
        name = (home / CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return name if name and not set(name) - set("0123456789-") else None


def studies_with_release(store: Path = STORE) -> list[str]:
    """The ids of the studies that have something to serve."""
    return sorted(pointer.parent.name for pointer in store.glob(f"*/{CURRENT}"))


def require_any_release(store: Path = STORE) -> list[str]:
    """The ids of the studies that have something to serve.

    Raises:
        StoreError: none has.
    """
    if not (studies := studies_with_release(store)):
        raise StoreError(
            f"expected a release in {store}", got="none yet", mend="build one: make build, or wardlight build STUDY"
        )
    return studies


def open_release(study_id: str, role: Role, *, store: Path = STORE, release_id: str | None = None) -> Release:
    """The current release (or the one named) of a study, read-only, as `role` may see it.

    Its files are compared with their checksums once per process.

    Raises:
        StoreError: there is no such release, or it is damaged.
    """
    release_id = release_id or current_release(study_id, store=store)
    folder = store / study_id / release_id
    _verify_once(folder)
    con = duckdb.connect(str(folder / f"{role}.duckdb"), read_only=True, config=_READ_ONLY)
    study = _read_study(folder)
    return Release(study_id=study_id, release_id=release_id, role=role, folder=folder, con=con, study=study)


def _read_study(folder: Path) -> Study:
    try:
        return Study.model_validate(json.loads((folder / STUDY).read_text()) | {"folder": folder})
    except ValueError:
        raise _of_another_version(folder) from None


def require_contract(release: Release) -> Release:
    """The release, if it has every column that pages may ask for.

    Raises:
        StoreError: it has fewer, as one of an earlier version has.
    """
    sql = "select table_name, column_name from information_schema.columns"
    found = set(release.cursor().execute(sql).fetchall())
    own = (table for table in TABLES if release.role in table.audience)
    if not {(table.name, column.name) for table in own for column in table.columns} <= found:
        raise _of_another_version(release.folder)
    return release


def _of_another_version(folder: Path) -> StoreError:
    return StoreError(
        f"expected release {folder.name} to be of this version of the code",
        got="one that another version built",
        mend=f"build it anew: wardlight build {folder.parent.name}",
    )


def verify_release(folder: Path) -> int:
    """The number of files in a release, all of which have the checksum that its manifest names.

    Raises:
        StoreError: a file is missing, changed or not named.
    """
    manifest = read_manifest(folder)
    expected: dict[str, str] = manifest["files"]
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {MANIFEST, PUBLISHED}
    faults = [f"{name} is missing" for name in sorted(set(expected) - found)]
    faults += [f"{name} is not part of it" for name in sorted(found - set(expected))]
    faults += [
        f"{name} has changed" for name in sorted(found & set(expected)) if sha256_of(folder / name) != expected[name]
    ]
    if faults:
        raise _damaged(folder, "; ".join(faults))
    return len(expected)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release.

    Raises:
        StoreError: it is missing or cannot be read.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        return {**manifest, "files": dict(manifest["files"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{MANIFEST} cannot be read ({type(error).__name__})") from None


def store_salt(store: Path = STORE) -> bytes:
    """The secret that the pseudonyms of this store are made with; made when first asked for.

    Raises:
        StoreError: the store cannot be written.
    """
    path = store / "pseudonym.salt"
    try:
        store.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            new = store / f".salt-{os.getpid()}"
            new.write_bytes(secrets.token_bytes(_SALT_BYTES))
            new.chmod(0o600)
            # A link fails where another build was first, and then its salt is the one.
            with suppress(FileExistsError):
                os.link(new, path)
            new.unlink()
        return path.read_bytes()
    except OSError as error:
        raise _cannot_write(store, error) from None


@lru_cache(maxsize=64)
def _verify_once(folder: Path) -> int:
    return verify_release(folder)


@contextmanager
def _build_lock(home: Path) -> Iterator[None]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w")
    except OSError as error:
        raise _cannot_write(home, error) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"expected to be the only build of {home.name!r}",
                got="another one is running",
                mend="wait until it has ended, or end it",
            ) from None
        yield


def _remove_litter(home: Path) -> None:
    """Removes what killed builds left: drafts, and folders that were renamed but never became current."""
    current = _read_pointer(home)
    for salt in home.parent.glob(".salt-*"):
        # Another study's build may be making it just now; only that of a process that is gone is litter.
        if not _is_running(salt.name.removeprefix(".salt-")):
            salt.unlink(missing_ok=True)
    for path in home.iterdir():
        if path.name.startswith(_DRAFT_PREFIX):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif path.is_dir() and path.name == current:
            if not (path / PUBLISHED).exists():
                (path / PUBLISHED).touch()
        elif path.is_dir() and not (path / PUBLISHED).exists():
            shutil.rmtree(path)


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _new_release_id(home: Path) -> str:
    second = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    taken = {path.name for path in home.iterdir()}
    return next(i for i in (second, *(f"{second}-{n}" for n in range(2, 100))) if i not in taken)


def _cannot_write(home: Path, error: Exception) -> StoreError:
    reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
    return StoreError(
        "expected a store that can be written",
        got=f"{home}: {reason}",
        mend="free space or give yourself the right to write there, or name another folder with --store DIR",
    )


def _damaged(folder: Path, what: str) -> StoreError:
    return StoreError(
        f"expected release {folder.name} of {folder.parent.name} as it was published",
        got=what,
        mend=f"build it anew: wardlight build {folder.parent.name}",
    )
