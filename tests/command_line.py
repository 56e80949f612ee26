"""Running `wardlight`: in this process, which is quick, or as the installed command, which is what a user gets."""

import contextlib
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main

_COMMAND = Path(sys.executable).with_name("wardlight")


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


def run_here(*arguments: object) -> Outcome:
    """`wardlight` with these arguments, in this process. An error that is a bug propagates."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["wardlight", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Outcome(status, out.getvalue(), err.getvalue())


def run_command(*arguments: object) -> Outcome:
    """The installed `wardlight` with these arguments, in a process of its own."""
    done = subprocess.run([_COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    return Outcome(done.returncode, done.stdout, done.stderr)
