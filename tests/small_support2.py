"""A small part of SUPPORT2 that has everything the whole has: written as a study of its own."""

from pathlib import Path

import pandas as pd
import yaml

from pipeline.paths import DATA

NO_ROW = -1
# Every sixth of each kind: about 1,600 patients, enough for every level of every subgroup.
_STEP = 6


def write_small_support2(folder: Path) -> Path:
    """The path of a study file, with its CSV and alignment beside it, that takes the rest from the embedded study."""
    rows = pd.read_csv(DATA / "support2" / "support2.csv", dtype=str, keep_default_na=False)
    alignment = pd.read_csv(DATA / "support2" / "alignment.csv")
    sampled = set(_sample_phase_two(alignment)) | set(_sample_phase_one(rows, alignment))
    rows[rows["sno"].astype(int).isin(sampled)].to_csv(folder / "small.csv", index=False)
    alignment[alignment["sno"].isin(sampled)].to_csv(folder / "alignment.csv", index=False)

    parent = DATA / "support2" / "study.yaml"
    # A mapping resolves from the study's own folder, so the repair is named again, in the parent's words.
    repairs = yaml.safe_load(parent.read_text(encoding="utf-8"))["repairs"]
    study = {
        "extends": str(parent),
        "id": "small",
        "title": "A small part of SUPPORT2",
        "source": {"kind": "csv", "path": "small.csv"},
        "repairs": repairs,
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    return path


def _sample_phase_two(alignment: pd.DataFrame) -> list[int]:
    """Whole chains of displaced rows, and some rows that stand right.

    A patient's values lie in the row of another sampled patient, whose own lie further down, until one has none: the
    rows form chains, each of which ends with a patient without physiology. Whole chains keep every donor in the file.
    """
    taken_from = dict(zip(alignment["sno"], alignment["physiology_sno"], strict=True))
    unmoved = [sno for sno, donor in taken_from.items() if sno == donor]
    donors = set(taken_from.values())
    sampled = unmoved[::_STEP]
    for start in [sno for sno in taken_from if sno not in donors][::_STEP]:
        sno = start
        while sno != NO_ROW:
            sampled.append(sno)
            sno = taken_from[sno]
    return sampled


def _sample_phase_one(rows: pd.DataFrame, alignment: pd.DataFrame) -> list[int]:
    return [sno for sno in rows["sno"].astype(int) if sno not in set(alignment["sno"])][::_STEP]
