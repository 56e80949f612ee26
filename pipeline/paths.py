"""Where things are. Everything resolves from the checkout, never from the working directory."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DATA = CHECKOUT / "data"
STORE = DATA / "store"
