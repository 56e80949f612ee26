"""The entry of the dashboard: access first, then the pages of the chosen role."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard.access import current_role, current_view, refuse_public_address, seed_choices, was_changed
from dashboard.components.header import choose_role_and_study
from dashboard.components.style import style_sheet
from dashboard.loaders import published_studies
from pipeline.errors import WardlightError
from pipeline.settings import Role

HOME = "views/start.py"
# Every page is registered for everybody, so that a link to another role's page is answered by that page's refusal.
PAGES: dict[Role | None, list[tuple[str, str, str, str]]] = {
    None: [(HOME, "Wardlight", ":material/shield_with_heart:", "start")],
    Role.CLINICIAN: [("views/clinician/patients.py", "Patients", ":material/groups:", "patients")],
    Role.ADMINISTRATOR: [("views/administrator/outlook.py", "Cost outlook", ":material/monitoring:", "outlook")],
    Role.BOARD: [
        ("views/ethics/findings.py", "Findings", ":material/flag:", "findings"),
        ("views/ethics/performance.py", "Performance", ":material/fact_check:", "performance"),
        ("views/ethics/subgroups.py", "Subgroups", ":material/bar_chart:", "subgroups"),
        ("views/ethics/uncertainty.py", "Uncertainty", ":material/straighten:", "uncertainty"),
        ("views/ethics/sites.py", "Elsewhere", ":material/travel_explore:", "elsewhere"),
        ("views/ethics/drivers.py", "Drivers", ":material/account_tree:", "drivers"),
        ("views/ethics/explanations.py", "Explanations", ":material/rule:", "explanations"),
        ("views/ethics/audits.py", "Audits", ":material/policy:", "audits"),
        ("views/ethics/data.py", "Data", ":material/database:", "data"),
    ],
}


def main() -> None:
    """Runs the page that was asked for, or says in a sentence why there is none."""
    st.set_page_config(page_title="Wardlight", page_icon=":material/shield_with_heart:", layout="wide")
    try:
        refuse_public_address()
        changed = was_changed()
        studies = published_studies()
        seed_choices(studies)
        choose_role_and_study(studies)
        st.html(style_sheet(current_view().palette))
        page = _navigate(current_role())
        if changed and not _is_for(page, current_role()):
            st.switch_page(HOME)
        page.run()
    except WardlightError as error:
        _render_error(error)


def _navigate(role: Role) -> StreamlitPage:
    pages = [
        st.Page(
            path,
            title=title,
            icon=icon,
            url_path=None if owner is None else url,
            default=owner is None,
            visibility="visible" if owner in (None, role) else "hidden",
        )
        for owner, group in PAGES.items()
        for path, title, icon, url in group
    ]
    return st.navigation(pages, position="top")


def _is_for(page: StreamlitPage, role: Role) -> bool:
    allowed = [url for owner in (None, role) for _, _, _, url in PAGES[owner]]
    return page.url_path in ("", *allowed)


def _render_error(error: WardlightError) -> None:
    st.header("Wardlight cannot show this")
    st.write(error.expected[:1].upper() + error.expected[1:] + ".")
    st.write(f"**Found:** {error.got}" if error.got is not None else "")
    if error.mend:
        st.write(f"**To mend it:** {error.mend}")


main()
