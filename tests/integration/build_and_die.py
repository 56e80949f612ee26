"""Builds a study over and over, each time in a process of its own that is killed at the stage named on standard input.

Run by test_killed_build.py: `build_and_die.py STUDY STORE`. Libraries are loaded once, which takes longer than a build.
Answers each line with how the process ended: -9 where it was killed, 0 where it reached the end.
"""

import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from pipeline.build import build_release, count_steps
from pipeline.models.boosting import Boosting
from pipeline.store import release
from pipeline.study import Study, load_study

QUICK = Boosting(max_rounds=8, patience=4, inner_folds=3, refits=2)


def die(*arguments: Any, **options: Any) -> NoReturn:
    """Ends this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def remove_half(path: Path, **options: Any) -> NoReturn:
    """Removes one file of a folder, and dies."""
    next(file for file in sorted(path.rglob("*")) if file.is_file()).unlink()
    die()


def build(study: Study, store: Path, stage: str) -> None:
    """Builds, and dies at `stage`: the number of a step, or one of the moments below; never for "end"."""
    steps: list[str] = []

    def step(name: str) -> None:
        steps.append(name)
        if stage == str(len(steps)):
            die()
        if len(steps) == count_steps(study):
            _arrange(stage)

    if stage == "while making the salt":
        os.link = die
    build_release(study, store=store, boosting=QUICK, step=step)


def _arrange(stage: str) -> None:
    """Makes the function that is called at this moment of the last step, publishing, a deadly one."""
    if stage == "before naming":
        release.make_current = die
    elif stage == "while naming":
        Path.replace = die  # type: ignore[method-assign]
    elif stage == "after naming":
        Path.touch = die  # type: ignore[method-assign]
    elif stage == "while pruning":
        shutil.rmtree = remove_half  # type: ignore[assignment]


def run(study: Study, store: Path, stage: str) -> int:
    """How the process that built and died ended."""
    child = os.fork()
    if child == 0:
        try:
            build(study, store, stage)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(run(load_study(sys.argv[1]), Path(sys.argv[2]), line.strip()), flush=True)
