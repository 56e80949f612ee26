"""Everything that is measured of what was learnt: the tables by which a release is judged."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline.cohort import Cohort
from pipeline.evaluate.coherence import build_coherence_audit
from pipeline.evaluate.comparison import build_comparison
from pipeline.evaluate.concentration import build_concentration
from pipeline.evaluate.decision_curves import build_net_benefit_curve
from pipeline.evaluate.explanation_quality import build_explanation_tables
from pipeline.evaluate.group_totals import build_group_totals
from pipeline.evaluate.leaks import build_leak_audit
from pipeline.evaluate.performance import AllScores, build_performance, collect_scores
from pipeline.evaluate.repeat_spread import build_repeat_spread
from pipeline.evaluate.retrained import TrainingSet
from pipeline.evaluate.risk_distribution import build_risk_distributions
from pipeline.evaluate.rival_scores import build_compared_model, collect_rival_scores
from pipeline.evaluate.slices import build_slices
from pipeline.evaluate.smooth_calibration import build_calibration_smooth
from pipeline.evaluate.subgroups import build_subgroup_performance
from pipeline.evaluate.summary import build_curves
from pipeline.evaluate.validation import build_validation
from pipeline.explain.importance import build_concept_importance, build_feature_importance
from pipeline.fitted import Fitted
from pipeline.models.boosting import Boosting
from pipeline.models.rebuild_coverage import rebuild_coverage
from pipeline.study.model import Study

Tables = dict[str, pd.DataFrame]
STEPS = 5


def assess(study: Study, cohort: Cohort, fitted: Fitted, boosting: Boosting, step: Callable[[str], None]) -> Tables:
    """The tables that measure models, groups, explanations and the data; `step` is told of each of the STEPS."""
    step("Measuring performance")
    scores = _collect_scores(study, cohort, fitted)
    tables = _measure(study, cohort, fitted, scores)
    step("Repeating on other folds")
    refit = (study, fitted.fits, fitted.matrix, cohort.targets)
    tables["repeat_spread"] = build_repeat_spread(*refit, scored=fitted.scored, boosting=boosting)
    step("Validating where models have never been")
    tables["validation"] = build_validation(*refit, cohort.subjects, scored=fitted.scored, boosting=boosting)
    step("Testing explanations")
    tables |= _test_explanations(study, cohort, fitted, boosting)
    step("Auditing for leaks and displaced rows")
    tables["leak_audit"] = build_leak_audit(study, cohort, fitted.fits, fitted.matrix, fitted.folds)
    tables["coherence_audit"] = build_coherence_audit(study, cohort)
    return tables


def _collect_scores(study: Study, cohort: Cohort, fitted: Fitted) -> AllScores:
    """What every model says of everybody, those included whom ours refuses."""
    inside = {t: rebuild_coverage(fit) for t, fit in fitted.fits.items()}
    scores = collect_scores(study, fitted.fits, cohort.targets, cohort.baselines, rebuilds_inside=inside)
    rivals = collect_rival_scores(study, fitted.rivals, cohort.targets)
    return {target_id: {**own, **rivals[target_id]} for target_id, own in scores.items()}


def _measure(study: Study, cohort: Cohort, fitted: Fitted, scores: AllScores) -> Tables:
    scored, masked = fitted.scored, fitted.mask_refused(cohort)
    margins = {target_id: explained.by_feature[scored] for target_id, explained in fitted.explained.items()}
    return {
        "performance": build_performance(study, scores, scored=scored),
        "subgroup_performance": build_subgroup_performance(study, scores, cohort.subjects, scored=scored),
        "net_benefit_curve": build_net_benefit_curve(study, scores, scored=scored),
        "calibration_smooth": build_calibration_smooth(study, scores, scored=scored),
        "concentration": build_concentration(study, scores, scored=scored),
        "compared_model": build_compared_model(study, fitted.rivals),
        "comparison": build_comparison(study, scores, fitted.rivals, scored=scored),
        **build_group_totals(study, fitted.fits, masked, scored=scored),
        **build_slices(study, fitted.fits, masked),
        **build_curves(study, fitted.fits, masked),
        "risk_distribution": build_risk_distributions(scores, scored=scored),
        "importance": pd.concat([build_feature_importance(study, m, target_id=t) for t, m in margins.items()]),
        "concept_importance": pd.concat([build_concept_importance(study, m, target_id=t) for t, m in margins.items()]),
    }


def _test_explanations(study: Study, cohort: Cohort, fitted: Fitted, boosting: Boosting) -> Tables:
    training = {
        target_id: TrainingSet(
            study,
            fit,
            fitted.matrix,
            cohort.targets[target_id].to_numpy(np.float64),
            fitted.folds,
            fitted.scored,
            boosting,
        )
        for target_id, fit in fitted.fits.items()
    }
    rivals = {target_id: rivals.glass_box_contributions for target_id, rivals in fitted.rivals.items()}
    return build_explanation_tables(training, fitted.explained, rivals, cohort.subjects["subject_id"])
