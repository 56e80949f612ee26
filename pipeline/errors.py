"""Errors that their reader can mend. Anything else that is raised is a bug and shows its traceback."""


class WardlightError(Exception):
    """One message in three parts: what was expected, what was found, and how to mend it."""

    def __init__(self, expected: str, *, got: object = None, mend: str | None = None) -> None:
        self.expected, self.got, self.mend = expected, got, mend
        parts = [expected]
        if got is not None:
            parts.append(f"got: {got}")
        if mend is not None:
            parts.append(f"to mend it: {mend}")
        super().__init__("\n  ".join(parts))


class StudyError(WardlightError):
    """The study file says something that cannot be."""


class DataError(WardlightError):
    """The source data is not what the study file says."""


class StoreError(WardlightError):
    """The store, a release or a query of it is not usable."""


class AccessError(WardlightError):
    """This role may not see this."""
