"""Deployment: which roles there are, and where the app may listen without a login."""

import ipaddress
from enum import StrEnum


class Role(StrEnum):
    """Who reads a release. Each role has a file of its own that holds only what it may see."""

    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    BOARD = "board"

    @property
    def label(self) -> str:
        return {"clinician": "Clinician", "administrator": "Administrator", "board": "Ethics board"}[self.value]


def is_loopback(address: str | None) -> bool:
    """Whether a server bound to `address` is reachable from this machine only; no address means every interface."""
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
