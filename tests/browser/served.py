"""A served dashboard, and where a Chromium is found: shared by the browser tests and the screenshots."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox, since CI runs as root in a container; and without what calls home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


@contextmanager
def serve(store: Path) -> Iterator[str]:
    """The address of the dashboard as `wardlight serve` starts it on `store`."""
    port = _free_port()
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--store", str(store), "--port", str(port)]
    server = subprocess.Popen(command, cwd=CHECKOUT, start_new_session=True)
    try:
        _wait_until_healthy(port, server)
        yield f"http://localhost:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(port: int, server: "subprocess.Popen[bytes]", *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"`wardlight serve` ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the dashboard did not answer within {seconds:g} s")
