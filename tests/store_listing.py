"""What a store holds, so that a test can say that nothing of it has changed."""

from pathlib import Path

from pipeline.hashing import sha256_of

Listing = dict[str, tuple[int, str]]


def list_store(store: Path) -> Listing:
    """Every file of a store with its time of change and checksum.

    Of empty files, which are locks and markers, only that they are there.
    """
    if not store.is_dir():
        return {}
    files = sorted(path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): (_changed(path), sha256_of(path)) for path in files}


def _changed(path: Path) -> int:
    status = path.stat()
    return status.st_mtime_ns if status.st_size else 0
