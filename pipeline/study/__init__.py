"""The study: what every column of the source means."""

from pipeline.study.load import load_study
from pipeline.study.model import (
    Attribute,
    Baseline,
    Feature,
    Kind,
    Study,
    Target,
    columns_in,
)

__all__ = ["Attribute", "Baseline", "Feature", "Kind", "Study", "Target", "columns_in", "load_study"]
