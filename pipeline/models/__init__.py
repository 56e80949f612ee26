"""XGBoost outcome and cost models: cross-fitted, recalibrated on inner folds, with intervals."""
