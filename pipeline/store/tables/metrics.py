"""What the metrics of `performance` and `subgroup_performance` mean."""

METRICS: dict[str, str] = {
    "auroc": "the chance that a patient with the event has the higher risk; ties count half",
    "auprc": "average precision",
    "brier": "mean squared distance between risk and event",
    "calibration_intercept": "shift of the logit that makes expected events equal observed ones; 0 is right",
    "calibration_slope": "slope of the event on the logit of the risk; 1 is right, below too extreme, above too timid",
    "observed_expected": "observed events over expected events; 1 is right",
    "ece": "mean distance between risk and event rate over ten equal groups by risk; chance alone makes some, the more "
    "the fewer patients, so that it has neither an interval nor a ratio",
    "event_rate": "share of patients with the event",
    "mean_risk": "mean predicted risk",
    "sensitivity": "of patients with the event, the share at or above the threshold",
    "specificity": "of patients without the event, the share below the threshold",
    "ppv": "of patients at or above the threshold, the share with the event",
    "number_needed_to_evaluate": "patients at or above the threshold for each one of them with the event: 1 / ppv",
    "npv": "of patients below the threshold, the share without the event",
    "flag_rate": "share of patients at or above the threshold",
    "net_benefit": "true positives less false positives at the odds of the threshold, per patient",
    "r2": "share of the variance of the amount that is explained",
    "r2_log": "share of the variance of the amount's logarithm that is explained by the predicted logarithm",
    "mae": "mean absolute error, in the target's unit",
    "predictive_ratio": "predicted total over observed total; 1 is right",
    "observed_mean": "mean amount observed, in the target's unit",
    "predicted_mean": "mean amount predicted for the same patients",
    "interval_coverage_80": "of an amount: share of patients inside their 80% interval; of a risk: share of further "
    "rebuilds of the model inside it; 0.8 is right",
    "interval_coverage_90": "the same of the 90% interval; 0.9 is right",
    "interval_width_80": "of an amount: median ratio of the upper to the lower end of the 80% interval; of a risk: "
    "median distance between them, 0 to 1",
    "interval_width_90": "the same of the 90% interval",
}
