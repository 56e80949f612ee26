"""`wardlight`: argument parsing only. Errors that a user can mend are one message; anything else is a bug."""

import json
import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.errors import StoreError, WardlightError
from pipeline.paths import CHECKOUT, STORE
from pipeline.settings import Role

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="An id under data/, or a path to a study.yaml.")]
SourceOption = Annotated[Path | None, typer.Option("--source", metavar="DIR", help="The folder of the source file.")]
StoreOption = Annotated[Path, typer.Option("--store", metavar="DIR", help="The folder of the releases.")]
RoleOption = Annotated[Role, typer.Option("--role", help="As whom to read.")]


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command()
def build(
    study: StudyArgument,
    source: SourceOption = None,
    store: StoreOption = STORE,
    if_absent: Annotated[
        bool, typer.Option("--if-absent", help="Do nothing where the store has a sound release of this version.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Rebuild no model: sooner done, but risks get no interval.")
    ] = False,
) -> None:
    """Build and publish a release."""
    from pipeline.build import build_release, count_steps
    from pipeline.models.boosting import Boosting
    from pipeline.study import load_study

    loaded = load_study(study)
    if if_absent and _is_served(loaded.id, store):
        Console().print(f"The store has a release of {loaded.id}; building nothing.")
        return
    parts = (TextColumn("{task.description:<48}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*parts, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("Starting", total=count_steps(loaded))
        steps = -1

        def step(name: str) -> None:
            nonlocal steps
            steps += 1
            progress.update(task, description=name, completed=steps)
            if not progress.console.is_terminal:
                progress.console.print(f"{steps + 1:>2}/{count_steps(loaded)} {name}")

        boosting = Boosting(refits=0) if quick else None
        folder = build_release(loaded, source_dir=source, store=store, boosting=boosting, step=step)
        progress.update(task, description="Published", completed=count_steps(loaded))
    _print_summary(loaded.id, folder.name, store)


@app.command()
def check(study: StudyArgument, source: SourceOption = None) -> None:
    """Validate study and data; train nothing."""
    from pipeline.build import check_study
    from pipeline.evaluate.summary import build_quarantine_count
    from pipeline.study import load_study

    loaded = load_study(study)
    cohort = check_study(loaded, source_dir=source)
    _print_table("Who is in", cohort.attrition)
    _print_table("Repairs", cohort.repairs[["repair_id", "result", "n"]])
    _print_table("Values that break a rule", build_quarantine_count(cohort.quarantine))
    Console().print(
        f"{loaded.id}: {len(cohort.subjects):,} {loaded.subject.noun}s, {len(loaded.features)} features, "
        f"{len(loaded.targets)} targets. Ready: wardlight build {study}"
    )


@app.command()
def serve(
    store: StoreOption = STORE,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="On http://localhost:PORT.")] = 8501,
) -> None:
    """Serve the dashboard on what has been published, to this machine only."""
    from pipeline.store.release import require_any_release

    require_any_release(store)
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    environment = os.environ | {"WARDLIGHT_STORE": str(store.resolve())}
    Console().print(f"Wardlight on http://localhost:{port} (stop with Ctrl+C)")
    try:
        done = subprocess.run([*command, *options], cwd=CHECKOUT, env=environment, check=False)  # noqa: S603
    except KeyboardInterrupt:
        return
    raise typer.Exit(done.returncode)


@app.command()
def query(
    study: StudyArgument,
    sql: Annotated[str, typer.Argument(metavar="SQL")],
    store: StoreOption = STORE,
    role: RoleOption = Role.CLINICIAN,
    output: Annotated[Format, typer.Option("--format", help="csv and json: data only, all digits.")] = Format.TABLE,
) -> None:
    """Ask a release in SQL, read-only."""
    from pipeline.store.query import run_query
    from pipeline.store.release import open_release

    frame = run_query(open_release(_study_id(study), role, store=store), sql)
    if output is Format.CSV:
        frame.map(_plain).to_csv(sys.stdout, index=False)
    elif output is Format.JSON:
        rows = [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]
        sys.stdout.write(json.dumps(rows, default=str, indent=1) + "\n")
    else:
        _print_table(f"{len(frame):,} row{'s' * (len(frame) != 1)}", frame)


@app.command()
def verify(study: StudyArgument, store: StoreOption = STORE) -> None:
    """Compare every file of the served release with its checksum."""
    from pipeline.store.release import current_release, verify_release

    study_id = _study_id(study)
    release_id = current_release(study_id, store=store)
    count = verify_release(store / study_id / release_id)
    Console().print(f"{study_id} {release_id}: {count} files are as they were published.")


def main() -> None:
    """The entry point: one message on standard error and exit status 1 for what a user can mend."""
    try:
        app(prog_name="wardlight")
    except WardlightError as error:
        sys.stderr.write(f"wardlight: {error}\n")
        sys.exit(1)


def _study_id(study: str) -> str:
    """The id that a release is kept under: of a path, what its study file says."""
    if "/" not in study and not study.endswith((".yaml", ".yml")):
        return study
    from pipeline.study import load_study

    return load_study(study).id


def _is_served(study_id: str, store: Path) -> bool:
    """Whether the store has a release of the study that every role can be shown."""
    from pipeline.store.release import open_release, require_contract

    try:
        for role in Role:
            require_contract(open_release(study_id, role, store=store))
    except StoreError:
        return False
    return True


def _print_summary(study_id: str, release_id: str, store: Path) -> None:
    from pipeline.store.reads import get_summary
    from pipeline.store.release import open_release

    release = open_release(study_id, Role.CLINICIAN, store=store)
    _print_table(f"{study_id}, release {release_id}: out of fold, 95% intervals", get_summary(release.cursor()))


def _print_table(title: str, frame: pd.DataFrame) -> None:
    table = Table(title=title, title_justify="left")
    for name, dtype in frame.dtypes.items():
        numeric = pd.api.types.is_numeric_dtype(dtype)
        table.add_column(escape(str(name)), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*("" if _plain(value) is None else escape(str(_plain(value))) for value in row))
    Console().print(table if len(frame) else title)


def _plain(value: object) -> object:
    """A cell as plain Python: arrays are lists, and what is missing is None."""
    if isinstance(value, (np.ndarray, list)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NA or value is pd.NaT or value != value else value


if __name__ == "__main__":
    main()
