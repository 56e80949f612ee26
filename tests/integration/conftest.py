"""What slow tests share: full builds of the embedded studies, made once as a user makes them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

WARDLIGHT = Path(sys.executable).with_name("wardlight")
STUDIES = ["support2", "support2-as-filed"]


@pytest.fixture(scope="session")
def full_store(tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Path:
    """A store with a release of each study, built as a user builds it; prints how long that took and how much memory.

    Machines differ, so neither is judged here: at most 300 s and 1.5 GB on 2 cores is what is promised. The file as it
    was filed is built quickly: what it is there to show needs no refits.
    """
    folder = tmp_path_factory.mktemp("full")
    for study in STUDIES:
        start = time.monotonic()
        quick = ["--quick"] if study == "support2-as-filed" else []
        build = subprocess.Popen([WARDLIGHT, "build", study, "--store", str(folder), *quick])
        _, status, usage = os.wait4(build.pid, 0)
        build.returncode = os.waitstatus_to_exitcode(status)
        say(f"{study}: built in {time.monotonic() - start:.0f} s, at most {usage.ru_maxrss / 1e6:.2f} GB")
        assert build.returncode == 0
    return folder


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def print_line(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)

    return print_line


@pytest.fixture(scope="session")
def figure(full_store: Path) -> Callable[..., float]:
    """A figure of `performance`, asked for on the command line."""

    def ask(study: str, target: str, metric: str, *, model: str = "xgboost", population: str = "all") -> float:
        sql = (
            f"select estimate from performance where target_id = '{target}' and metric = '{metric}' "
            f"and model_id = '{model}' and population = '{population}'"
        )
        command = [WARDLIGHT, "query", study, sql, "--store", full_store, "--format", "json"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        (row,) = json.loads(done.stdout)
        return float(row["estimate"])

    return ask
