"""How good the estimates are: overall, beside baselines, and in every subgroup, each figure with its interval."""
