"""The three parts of a message."""

import pytest

from pipeline.errors import AccessError, DataError, StoreError, StudyError, WardlightError


def test_a_message_says_what_was_expected_what_was_found_and_how_to_mend_it() -> None:
    error = WardlightError("expected a file", got="a folder", mend="name a file")
    assert str(error) == "expected a file\n  got: a folder\n  to mend it: name a file"


def test_parts_that_are_not_known_are_left_out_but_zero_is_known() -> None:
    assert str(WardlightError("expected patients", got=0)) == "expected patients\n  got: 0"
    assert str(WardlightError("expected patients")) == "expected patients"


@pytest.mark.parametrize("kind", [StudyError, DataError, StoreError, AccessError])
def test_every_kind_is_an_error_that_a_user_can_mend(kind: type[WardlightError]) -> None:
    assert issubclass(kind, WardlightError)
