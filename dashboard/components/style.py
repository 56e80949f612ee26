"""What the theme cannot say: figures that line up, dark text on the light primary button, calm chips, tables, cards."""

from dashboard.charts.palette import Palette


def style_sheet(palette: Palette) -> str:
    """A style element for the whole app."""
    return f"""<style>
body {{ font-variant-numeric: tabular-nums; }}
[data-testid="stMainBlockContainer"] {{ max-width: 1440px; padding-left: 2.25rem; padding-right: 2.25rem; }}
[data-testid="stBaseButton-primary"] {{ color: {palette.background}; }}
[data-testid="stPopoverButton"]:is(:hover, :focus, :active, [aria-expanded="true"]) {{ color: {palette.accent}; }}
[data-testid="stMultiSelect"] [data-tag] {{ background: {palette.soft}; color: {palette.text}; }}
.st-key-hero, [class*="st-key-hero-"] {{ background: {palette.tint}; border-radius: .6rem; padding: 1.1rem 1.2rem; }}
.wl-figure {{ line-height: 1.35; }}
.wl-figure .label {{ color: {palette.muted}; font-size: .95rem; }}
.wl-figure .number {{ font-size: 1.75rem; font-weight: 650; }}
.wl-figure .number.main {{ color: {palette.accent}; font-size: 2.6rem; line-height: 1.15; }}
.wl-answer {{ display: flex; gap: 1rem; align-items: center; }}
.wl-answer .number {{ color: {palette.accent}; font-size: 4.2rem; font-weight: 650; line-height: 1; }}
.wl-answer .number.amount {{ font-size: 3.1rem; }}
.wl-answer .words {{ font-size: 1.1rem; font-weight: 600; line-height: 1.35; }}
.wl-answer .refused {{ font-size: 2.2rem; font-weight: 650; line-height: 1.1; white-space: nowrap; }}
.wl-band {{ color: {palette.muted}; }}
.wl-scroll {{ overflow-x: auto; }}
table.wl {{ border-collapse: collapse; width: 100%; font-size: .93rem; }}
table.wl th {{ color: {palette.muted}; font-weight: 600; font-size: .85rem; text-align: left; padding: .35rem .5rem; }}
table.wl td {{ border-top: 1px solid {palette.grid}; padding: .38rem .5rem; vertical-align: middle; }}
table.wl :is(th, td):first-child {{ min-width: 10rem; }}
table.wl .right {{ text-align: right; white-space: nowrap; }}
table.wl .muted {{ color: {palette.muted}; }}
table.wl .gap {{ color: {palette.muted}; font-style: italic; }}
table.wl .raises {{ color: {palette.raises_text}; }}
table.wl .lowers {{ color: {palette.lowers_text}; }}
table.wl img {{ display: block; }}
</style>"""
