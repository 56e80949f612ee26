"""The card about places and times that a model was not trained on. Called inside the container that is to hold it."""

import pandas as pd

from dashboard.access import View
from dashboard.charts.forest import forest
from dashboard.components.cards import render_chart_card
from dashboard.presentation import elsewhere as words
from dashboard.presentation.measures import WITHHELD, Measure
from dashboard.presentation.subgroups import is_ratio, name_axis, name_counts, tell_bound
from pipeline.study.model import Target


def render_elsewhere(view: View, target: Target, measure: Measure, validation: pd.DataFrame, at_home: float) -> None:
    """One measure wherever the model was tested without having been trained there."""
    frame = words.build_forest_frame(validation, measure)
    line = measure.right if measure.right is not None else at_home
    figure = forest(
        frame,
        palette=view.palette,
        axis_title=name_axis(measure, at_home),
        null_value=measure.factor * line,
        log_axis=is_ratio(measure),
        events_title=name_counts(target) if frame["n_events"].notna().any() else "",
        withheld_text=WITHHELD,
    )
    render_chart_card(
        words.tell_elsewhere(frame, measure, at_home),
        figure,
        how_to_read=(
            f"{measure.reading} The whole model was built anew without the patients of a group, and then tried on "
            "them: this is what to expect where it is taken to a place, or a time, it has not seen. Estimates shown "
            "elsewhere in this application come from models that were trained on patients of all groups. "
            f"{tell_bound(measure)}"
        ),
        table=words.build_table(frame, measure),
        caption=f"{target.label}. {words.tell_training_of(frame)} {words.tell_misses(frame, measure)} 95% intervals.",
        key="elsewhere",
    )
