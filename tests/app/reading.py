"""What a reader finds on a page that AppTest has run."""

import pandas as pd
from streamlit.testing.v1 import AppTest


def text_of(app: AppTest) -> str:
    """Everything on the page that is words."""
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption, *app.info]
    return "\n".join([str(part.value) for part in parts] + [element.proto.body for element in app.get("html")])


def titles(app: AppTest) -> list[str]:
    """The headings of the cards."""
    return [element.value for element in app.subheader]


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The table behind the button "Table" that has a column of this name."""
    return next(element.value for element in app.dataframe if column in element.value.columns)
