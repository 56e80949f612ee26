"""One import order inside `pipeline`: lower never imports higher, and nothing imports the dashboard."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.paths import CHECKOUT

ORDER = [
    "errors",
    "paths",
    "hashing",
    "numerals",
    "study",
    "settings",
    "store",
    "ingest",
    "cohort",
    "features",
    "splits",
    "scope",
    "models",
    "explain",
    "fitted",
    "evaluate",
    "govern",
    "report",
    "build",
    "cli",
]
FILES = sorted((CHECKOUT / "pipeline").rglob("*.py"))


def _place(module: str) -> str | None:
    """The part of the order that a module of `pipeline` belongs to; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def _module(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_a_place_in_the_order() -> None:
    places = {place for path in FILES if (place := _place(_module(path)))}
    assert places <= set(ORDER)


def test_no_module_imports_one_that_is_higher_in_the_order() -> None:
    wrong = []
    for path in FILES:
        own = _place(_module(path))
        for name in _imports(path):
            other = _place(name) if name.split(".")[0] == "pipeline" else None
            if own and other and ORDER.index(other) > ORDER.index(own):
                wrong.append(f"{_module(path)} imports {name}")
    assert not wrong


def test_the_pipeline_never_imports_the_dashboard_or_streamlit() -> None:
    wrong = [
        f"{_module(path)} imports {name}"
        for path in FILES
        for name in _imports(path)
        if name.split(".")[0] in ("dashboard", "streamlit")
    ]
    assert not wrong


def test_the_order_can_be_broken() -> None:
    # A check of the check: cli is above build, and this file is known to import it.
    assert "pipeline.build.build_release" in set(_imports(CHECKOUT / "pipeline" / "cli.py"))
    assert ORDER.index("build") < ORDER.index("cli")


def test_importing_the_pipeline_loads_neither_streamlit_nor_the_dashboard() -> None:
    code = "import sys, pipeline.cli, pipeline.build; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert "pipeline" in done.stdout.split()
    assert not {"streamlit", "dashboard"} & set(done.stdout.split())
