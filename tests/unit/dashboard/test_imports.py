"""The dashboard never trains, so it does not wait for what training needs."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = [
    str(path.relative_to(CHECKOUT).with_suffix("")).replace("/", ".")
    for path in sorted((CHECKOUT / "dashboard").rglob("*.py"))
    if "views" not in path.parts and path.name not in ("app.py", "__init__.py")
]


def test_what_pages_are_made_of_loads_no_library_for_training() -> None:
    code = f"import sys, {', '.join(PAGES)}; print(sorted({{'shap', 'xgboost', 'sklearn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert len(PAGES) > 20
    assert done.stdout.strip() == "[]"
