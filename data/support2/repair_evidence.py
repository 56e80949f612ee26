"""Measure what the alignment of support2.csv repairs, and draw docs/support2-repair.png.

    python data/support2/repair_evidence.py

The same measures are taken in phase I (never displaced), in phase II as filed and in phase II repaired. The yardstick
shares neither code nor kind of regression with derive_alignment.py, and it is fitted on phase I, so that nothing learnt
in phase II can flatter the repair. The measures marked "aps" use the score that the alignment was derived from; the
others use columns that it never read.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FOLDER = Path(__file__).parent
FIGURE = FOLDER.parents[1] / "docs" / "support2-repair.png"
# Glucose, bun and urine were not collected in phase I: the yardstick uses what both phases have.
IN_BOTH_PHASES = ["meanbp", "wblc", "hrt", "resp", "temp", "pafi", "alb", "bili", "crea", "sod", "ph"]
PHYSIOLOGY = [*IN_BOTH_PHASES, "glucose", "bun", "urine"]
BLOCK_ROWS = 500
REPAIRED, AS_FILED = "#3F46B4", "#8A8FA8"

APS_PHASE_ONE = "aps: r with aps predicted from physiology, fitted on phase I"
APS_SAME_PHASE = "aps: r with aps predicted from physiology, fitted on the same phase"
CREATININE_APS = "aps: Spearman with creatinine"
SPS = "SUPPORT physiology score (sps): r with sps predicted from physiology"
GLUCOSE = "Glucose and diabetes: Spearman"
OXYGEN = "PaO2/FiO2 and treatment intensity (TISS): Spearman"
BILIRUBIN = "Bilirubin in cirrhosis: median, mg/dL"
BUN = "Urea nitrogen and hospital death: AUROC"
CREATININE = "Creatinine and hospital death: AUROC"
NO_GAS_SEPSIS = "PaO2/FiO2 not measured in ARF/MOSF with sepsis: %"
NO_GAS_FAILURE = "PaO2/FiO2 not measured in heart failure: %"
# What panel B shows, with the value that says "no association" (none for a median or a percentage).
PAIRS = {SPS: 0.0, GLUCOSE: 0.0, OXYGEN: 0.0, BILIRUBIN: None, BUN: 0.5, CREATININE: 0.5, NO_GAS_SEPSIS: None}


def repair(frame: pd.DataFrame, alignment: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with each phase II patient's own physiology; missing where the file does not hold it."""
    repaired, by_sno = frame.set_index("sno"), frame.set_index("sno")[PHYSIOLOGY]
    repaired.loc[alignment["sno"], PHYSIOLOGY] = by_sno.reindex(alignment["physiology_sno"]).to_numpy()
    return repaired.reset_index()


def predict_cross_fitted(x: Floats, y: Floats, fit_on: Flags) -> Floats:
    """Return a prediction for every row of x from a regression fitted on the `fit_on` rows of the other four folds."""
    predicted, usable = np.empty(len(x)), fit_on & ~np.isnan(y) & ~np.isnan(x).all(axis=1)
    # One thread: such small fits are twenty times slower when several threads wait for a busy machine.
    with threadpool_limits(1):
        for _, test in KFold(5, shuffle=True, random_state=0).split(x):
            train = usable.copy()
            train[test] = False
            model = HistGradientBoostingRegressor(max_iter=150, max_leaf_nodes=15, random_state=0)
            predicted[test] = model.fit(x[train], y[train]).predict(x[test])
    return predicted


def add_predictions(frame: pd.DataFrame, phase_two: Flags) -> pd.DataFrame:
    """Return the frame with aps and sps as predicted from the physiology of the same row.

    `aps_predicted` and `sps_predicted` come from fits on phase I, `aps_predicted_in_phase` from fits on the own phase.
    """
    x = frame[IN_BOTH_PHASES].to_numpy(dtype=float)
    aps, sps = frame["aps"].to_numpy(dtype=float), frame["sps"].to_numpy(dtype=float)
    by_phase_one = predict_cross_fitted(x, aps, ~phase_two)
    return frame.assign(
        aps_predicted=by_phase_one,
        aps_predicted_in_phase=np.where(phase_two, predict_cross_fitted(x, aps, phase_two), by_phase_one),
        sps_predicted=predict_cross_fitted(x, sps, ~phase_two),
    )


def compute_r(rows: pd.DataFrame, a: str, b: str) -> float:
    """Return Pearson's r over the rows that have both values; NaN if there are none."""
    both = rows[[a, b]].dropna().to_numpy(dtype=float)
    return float(np.corrcoef(both.T)[0, 1]) if len(both) else np.nan


def compute_spearman(rows: pd.DataFrame, a: str, b: str) -> float:
    """Return Spearman's correlation over the rows that have both values; NaN if there are none."""
    return compute_r(rows[[a, b]].dropna().rank(), a, b)


def compute_auroc(rows: pd.DataFrame, marker: str) -> float:
    """Return the area under the ROC curve of a marker for death in hospital; NaN if no row has the marker."""
    known = rows.dropna(subset=[marker])
    return float(roc_auc_score(known["hospdead"], known[marker])) if len(known) else np.nan


def measure(rows: pd.DataFrame) -> dict[str, float]:
    """Return every measure over the rows of a frame with predictions."""
    by_illness = rows.groupby("dzgroup")
    no_gas_percent = 100 * rows["pafi"].isna().groupby(rows["dzgroup"]).mean()
    return {
        APS_PHASE_ONE: compute_r(rows, "aps", "aps_predicted"),
        APS_SAME_PHASE: compute_r(rows, "aps", "aps_predicted_in_phase"),
        CREATININE_APS: compute_spearman(rows, "crea", "aps"),
        SPS: compute_r(rows, "sps", "sps_predicted"),
        GLUCOSE: compute_spearman(rows, "glucose", "diabetes"),
        OXYGEN: compute_spearman(rows, "pafi", "avtisst"),
        BILIRUBIN: float(by_illness["bili"].median()["Cirrhosis"]),
        BUN: compute_auroc(rows, "bun"),
        CREATININE: compute_auroc(rows, "crea"),
        NO_GAS_SEPSIS: float(no_gas_percent["ARF/MOSF w/Sepsis"]),
        NO_GAS_FAILURE: float(no_gas_percent["CHF"]),
    }


def build_evidence(filed: pd.DataFrame, repaired: pd.DataFrame, alignment: pd.DataFrame) -> pd.DataFrame:
    """Return one row a measure: phase I, phase II as filed, phase II repaired (patients whose values are there)."""
    phase_two = filed["sno"].isin(alignment["sno"])
    matched = repaired["sno"].isin(alignment.loc[alignment["physiology_sno"] > 0, "sno"])
    cases = {
        "phase I": filed[~phase_two],
        "phase II as filed": filed[phase_two],
        "phase II repaired": repaired[matched],
    }
    return pd.DataFrame({name: measure(rows) for name, rows in cases.items()})


def build_blocks(filed: pd.DataFrame, repaired: pd.DataFrame, alignment: pd.DataFrame) -> pd.DataFrame:
    """Return r(aps, predicted aps) as filed and repaired in blocks of consecutive rows, and their share of phase II."""
    lost = repaired["sno"].isin(alignment.loc[alignment["physiology_sno"] < 0, "sno"])
    blocks = []
    for start in range(0, len(filed), BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, len(filed)))
        blocks.append(
            {
                "first_sno": block.start + 1,
                "last_sno": block.stop,
                "phase_two_share": filed["sno"][block].isin(alignment["sno"]).mean(),
                "as_filed": compute_r(filed[block], "aps", "aps_predicted"),
                "repaired": compute_r(repaired[block][~lost[block]], "aps", "aps_predicted"),
            }
        )
    return pd.DataFrame(blocks)


def compute_misfit_near_steps(repaired: pd.DataFrame, alignment: pd.DataFrame) -> tuple[float, float]:
    """Return the shares of repaired rows near a lag step, and away from one, whose sps is badly predicted.

    Badly: the SUPPORT physiology score, which the alignment did not use, is further from its prediction than in 95% of
    phase I. Where the two shares differ, the difference estimates how many rows near a step carry a neighbour's values.
    """
    phase_two = repaired["sno"].isin(alignment["sno"])
    misfit = (repaired["sps"] - repaired["sps_predicted"]).abs()
    bad = (misfit > misfit[~phase_two].quantile(0.95)).set_axis(repaired["sno"])
    matched = alignment[alignment["physiology_sno"] > 0]
    near, away = (bad[matched.loc[matched["near_change"] == side, "sno"]].mean() for side in (True, False))
    return float(near), float(away)


def format_value(value: float) -> str:
    """Return a number with two decimals, one from 10 upward; a dash where nothing was collected."""
    return "–" if np.isnan(value) else f"{value:.{1 if abs(value) >= 10 else 2}f}".replace("-", "−")


def format_table(table: pd.DataFrame) -> str:
    """Return the table as Markdown."""
    lines = ["| measure | " + " | ".join(table.columns) + " |", "|---" * (len(table.columns) + 1) + "|"]
    for name, values in table.iterrows():
        lines.append(f"| {name} | " + " | ".join(map(format_value, values)) + " |")
    return "\n".join(lines)


def draw_blocks(axes: Any, blocks: pd.DataFrame) -> None:
    """Draw r(aps, predicted aps) along the file, as filed and repaired; phase II's share of a block as shade."""
    whole = blocks[blocks["last_sno"] - blocks["first_sno"] == BLOCK_ROWS - 1]
    middle = whole["first_sno"] + BLOCK_ROWS / 2
    for first, share in zip(whole["first_sno"], whole["phase_two_share"], strict=True):
        axes.axvspan(first, first + BLOCK_ROWS, color=AS_FILED, alpha=0.22 * share, linewidth=0)
    axes.plot(middle, whole["as_filed"], "o-", color=AS_FILED, linewidth=1.4, markersize=5)
    axes.plot(middle, whole["repaired"], "o-", color=REPAIRED, linewidth=1.4, markersize=5)
    axes.annotate("repaired", (middle.iloc[9], 0.99), color=REPAIRED, ha="center", va="bottom", fontweight="bold")
    axes.annotate("as filed  ", (middle.iloc[9], -0.03), color="#5F647C", ha="right", va="center", fontweight="bold")
    axes.set(xlim=(0, whole["last_sno"].max() + 1), ylim=(-0.1, 1.1), xlabel="row of the file (blocks of 500 rows)")
    axes.set_title("A. r of aps with the aps that physiology predicts", loc="left", fontsize=10, color="#2B2E40")
    axes.text(0, -0.2, "Shade: share of phase II in the block.", transform=axes.transAxes, color="#5F647C", fontsize=8)


def draw_pair(axes: Any, name: str, values: pd.Series, neutral: float | None) -> None:
    """Draw one measure on its own scale: as filed, repaired and, as a tick, phase I."""
    filed, repaired, reference = values["phase II as filed"], values["phase II repaired"], values["phase I"]
    axes.plot([filed, repaired], [0, 0], color="#C9CCDA", linewidth=3, zorder=1, solid_capstyle="round")
    axes.scatter([filed, repaired], [0, 0], s=48, color=[AS_FILED, REPAIRED], zorder=3)
    if not np.isnan(reference):
        axes.vlines(reference, -0.55, 0.55, color="#2B2E40", linewidth=1.6, zorder=2)
    if neutral is not None:
        axes.vlines(neutral, -0.9, 0.9, color="#C9CCDA", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    shown = [value for value in (filed, repaired, reference, neutral) if value is not None and not np.isnan(value)]
    margin = 0.22 * (max(shown) - min(shown))
    axes.set(xlim=(min(shown) - margin, max(shown) + margin), ylim=(-1, 1.9))
    for value, colour in ((filed, "#5F647C"), (repaired, REPAIRED)):
        axes.annotate(format_value(value), (value, 0.62), color=colour, ha="center", va="bottom", fontsize=8)
    axes.set_title(name, loc="left", fontsize=8.5, color="#2B2E40", pad=1)
    axes.axis("off")


def draw_key(axes: Any) -> None:
    """Draw the title and the key of panel B."""
    axes.set_title("B. Pairs that the alignment never read, phase II", loc="left", fontsize=10, color="#2B2E40")
    axes.scatter([0.01, 0.17], [0.5, 0.5], s=48, color=[AS_FILED, REPAIRED], clip_on=False)
    axes.vlines([0.335], 0.3, 0.7, color="#2B2E40", linewidth=1.6)
    axes.vlines([0.5], 0.25, 0.75, color="#C9CCDA", linewidth=0.8, linestyle=(0, (2, 2)))
    for x, label in ((0.035, "as filed"), (0.195, "repaired"), (0.355, "phase I"), (0.52, "no association")):
        axes.text(x, 0.5, label, va="center", fontsize=8, color="#2B2E40")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")


def draw_figure(evidence: pd.DataFrame, blocks: pd.DataFrame, path: Path) -> None:
    """Write the figure of docs/support2-repair.md."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure = plt.figure(figsize=(11, 5.6), dpi=150)
    grid = figure.add_gridspec(1, 2, width_ratios=[1.25, 1], left=0.05, right=0.985, top=0.84, bottom=0.16)
    figure.suptitle(
        "Moved back to their patients, phase II's day-3 values fit those patients as they do in phase I",
        x=0.05, y=0.965, ha="left", fontsize=13, fontweight="bold", color="#2B2E40",
    )  # fmt: skip
    draw_blocks(figure.add_subplot(grid[0]), blocks)
    rows = grid[1].subgridspec(len(PAIRS) + 1, 1, hspace=0.4)
    draw_key(figure.add_subplot(rows[0]))
    for place, (name, neutral) in enumerate(PAIRS.items(), start=1):
        draw_pair(figure.add_subplot(rows[place]), name, evidence.T[name], neutral)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    """Print the evidence as Markdown tables and draw the figure."""
    frame, alignment = pd.read_csv(FOLDER / "support2.csv"), pd.read_csv(FOLDER / "alignment.csv")
    phase_two = frame["sno"].isin(alignment["sno"]).to_numpy()
    filed, repaired = (add_predictions(version, phase_two) for version in (frame, repair(frame, alignment)))
    evidence, blocks = build_evidence(filed, repaired, alignment), build_blocks(filed, repaired, alignment)
    near, away = compute_misfit_near_steps(repaired, alignment)
    print(format_table(evidence), end="\n\n")
    print("r of aps with aps predicted from physiology (fitted on phase I), by block of consecutive rows", end="\n\n")
    labelled = blocks.set_index("sno " + blocks["first_sno"].astype(str) + "-" + blocks["last_sno"].astype(str))
    print(format_table(labelled[["phase_two_share", "as_filed", "repaired"]]), end="\n\n")
    print(
        f"SUPPORT physiology score badly predicted: {near:.1%} of the rows near a lag step, {away:.1%} of the others."
    )
    draw_figure(evidence, blocks, FIGURE)
    print(f"Drawn: {FIGURE.relative_to(FOLDER.parents[1])}")


if __name__ == "__main__":
    main()
