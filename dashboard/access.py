"""Who may see what. In the demonstration anybody on this machine takes any role, in plain sight."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.charts.palette import Palette, palette
from dashboard.loaders import load_release, published_studies, read
from pipeline.errors import AccessError
from pipeline.settings import Role, is_loopback
from pipeline.store import reads
from pipeline.store.release import Release
from pipeline.study.model import Study

ROLE_KEY, STUDY_KEY, PATIENT_KEY = "role", "study", "patient"
# Streamlit forgets a widget's value when the page is switched in the same run; what was chosen is kept apart.
_CHOSEN, _CHANGED_KEY = "chosen_", "role_changed"


@dataclass(frozen=True)
class View:
    """What a page works with: the release as the role may see it, its study, and the theme's colours."""

    release: Release
    facts: pd.Series
    palette: Palette

    @property
    def study(self) -> Study:
        return self.release.study


def refuse_public_address() -> None:
    """Passes if the server listens to this machine only: there is no login yet.

    Raises:
        AccessError: it is bound to another address.
    """
    address = st.get_option("server.address")
    if not is_loopback(address):
        raise AccessError(
            "expected the demonstration on this machine only, since it has no login",
            got=f"server.address = {address or 'every interface'}",
            mend="start it with `wardlight serve`, or with --server.address 127.0.0.1",
        )


def current_role() -> Role:
    """The role that was chosen; a clinician until then."""
    chosen = st.session_state.get(_CHOSEN + ROLE_KEY)
    return Role(chosen) if chosen in list(Role) else Role.CLINICIAN


def current_study() -> str:
    """The study that was chosen; the first published until then.

    Raises:
        StoreError: none is published.
    """
    studies = published_studies()
    chosen = st.session_state.get(_CHOSEN + STUDY_KEY)
    return chosen if chosen in studies else studies[0]


def current_view() -> View:
    """The view of the current role and study.

    Raises:
        StoreError: there is nothing to show, or it is damaged.
    """
    release = load_release(current_study(), current_role())
    return View(release=release, facts=read(release, reads.get_release), palette=palette(st.context.theme.type))


def require(role: Role) -> View:
    """The view, if the current role is `role`; else the page says whose it is, and stops."""
    if current_role() is not role:
        st.header("This page is not for your role")
        st.write(f"It is for the role **{role.label}**; you are looking as **{current_role().label}**.")
        st.caption("Every role has a file of its own that holds only what it may see. Change the role above to go on.")
        st.stop()
    return current_view()


def seed_choices(studies: list[str]) -> None:
    """Gives role and study their first values: from the URL where it names one that is there, else the usual ones.

    They are kept in the session, not bound to the URL: Streamlit refuses to leave a page while a bound value differs
    from its default.
    """
    roles = [role.value for role in Role]
    for key, known in ((ROLE_KEY, roles), (STUDY_KEY, studies)):
        candidates = (st.session_state.get(_CHOSEN + key), st.query_params.get(key), known[0])
        chosen = next(value for value in candidates if value in known)
        st.session_state[_CHOSEN + key] = st.session_state[key] = chosen


def take_role(role: Role) -> None:
    """Takes a role before the page runs again, as the switch would."""
    st.session_state[_CHOSEN + ROLE_KEY] = role.value


def note_change() -> None:
    """Another role or study was chosen: it does not have the patient in the URL, and perhaps not the page."""
    forget_patient()
    for key in (ROLE_KEY, STUDY_KEY):
        st.session_state[_CHOSEN + key] = st.session_state.get(key, st.session_state.get(_CHOSEN + key))
    st.session_state[_CHANGED_KEY] = True


def was_changed() -> bool:
    """Whether a role or study was chosen since the last run; asked once, it is no more."""
    return bool(st.session_state.pop(_CHANGED_KEY, False))


def forget_patient() -> None:
    """Takes the patient out of the URL."""
    st.query_params.pop(PATIENT_KEY, None)
