"""The colours of the two themes, named by what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as #RRGGBB, by role.

    Text roles (`text`, `muted`, `accent`, `raises_text`, `lowers_text`, `status_text`) reach a contrast of 4.5 on
    `background` and on `tint`; chip texts do so on their chips. `raises` and `lowers` mean nothing else.
    """

    background: str
    tint: str
    text: str
    muted: str
    border: str
    grid: str
    empty: str
    accent: str
    interval: str
    soft: str
    raises: str
    raises_text: str
    raises_chip: str
    lowers: str
    lowers_text: str
    lowers_chip: str
    status_text: str
    status_chip: str
    risk_scale: tuple[str, ...]

    def risk_colour(self, share: float) -> str:
        """Return the bar colour of a risk between 0 and 1, steps 3 to 8 of the scale only.

        The deepest steps hide the whisker inside a bar, the palest vanish on the track.
        """
        steps = self.risk_scale[2:8]
        place = int(min(max(share, 0.0), 1.0) * len(steps))
        return steps[min(place, len(steps) - 1)]


LIGHT = Palette(
    background="#FFFFFF",
    tint="#F4F5FB",
    text="#1B1E33",
    muted="#565B76",
    border="#DCDFEC",
    grid="#E6E8F2",
    empty="#E3E6F0",
    accent="#3F46B4",
    interval="#757DD6",
    soft="#C5C9F2",
    raises="#D55E00",
    raises_text="#A84600",
    raises_chip="#FCEBDD",
    lowers="#0072B2",
    lowers_text="#005A8F",
    lowers_chip="#E0F0F9",
    status_text="#6B4800",
    status_chip="#FFF1C9",
    risk_scale=(
        *("#F0F1FC", "#DEE0F8", "#C5C9F2", "#A7ADE9", "#868EDE"),
        *("#666ECF", "#4B52BD", "#3A3FA3", "#2C2F82", "#1F2161"),
    ),
)

DARK = Palette(
    background="#10121F",
    tint="#1A1D30",
    text="#E8EAF6",
    muted="#A9AEC9",
    border="#31365A",
    grid="#262A45",
    empty="#2A2E4A",
    accent="#A5ABFF",
    interval="#6D74D2",
    soft="#363A7C",
    raises="#FF8A3D",
    raises_text="#FFA76B",
    raises_chip="#3A2413",
    lowers="#56B4E9",
    lowers_text="#7CC6F0",
    lowers_chip="#12304A",
    status_text="#FFD479",
    status_chip="#3A3014",
    risk_scale=(
        *("#1F2140", "#2A2D5E", "#363A7C", "#454A9B", "#575DB9"),
        *("#6D74D2", "#868DE6", "#A1A7F3", "#BFC4FB", "#DEE1FF"),
    ),
)


def palette(theme_type: str | None) -> Palette:
    """Return the palette of a theme type as Streamlit names it; anything but "dark" is light."""
    return DARK if theme_type == "dark" else LIGHT
