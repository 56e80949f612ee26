"""Where the app may listen without a login, and the roles."""

import pytest

from pipeline.settings import Role, is_loopback


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.0.0.53", "::1", "[::1]"])
def test_addresses_of_this_machine_are_loopback(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "0.0.0.0",  # noqa: S104  every interface is what must be refused
        "::",
        "192.168.1.5",
        "128.0.0.1",
        "example.org",
        "localhost.example.org",
        "127.0.0.1.example.org",
    ],
)
def test_anything_else_is_not_loopback(address: str | None) -> None:
    assert not is_loopback(address)


def test_every_role_has_a_label_that_a_switch_can_show() -> None:
    assert [role.label for role in Role] == ["Clinician", "Administrator", "Ethics board"]
