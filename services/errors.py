"""Why something could not be done, in words for the person who asked.

    GoniecError
    ├── BadInput            what was sent cannot be accepted
    │   ├── QueryError      a query that cannot be read, with its place
    │   └── AddressRefused  an address that must not be dialled
    ├── Unauthorized        no key, or a wrong one
    ├── Forbidden           a key without the right
    ├── NotFound
    ├── Conflict
    ├── TooLarge
    ├── RateLimited
    ├── SettingsError       a setting is missing or wrong
    └── Unavailable         a part (database, Redis, disk) cannot be reached

Each carries a stable `code` and `data`; the message says what to do. HTTP status lives in `api/errors.py`.
"""

from typing import ClassVar


class GoniecError(Exception):
    """The root: expected trouble, told to whoever caused or can mend it."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class BadInput(GoniecError):
    code = "bad-input"


class QueryError(BadInput):
    """A query that cannot be read: `column` (1-based) and `length` mark the place, in characters.

    `reason` is the sort of fault, for which each language has its sentence; `suggestion` can be read.
    """

    code = "bad-query"

    def __init__(
        self,
        message: str,
        *,
        column: int,
        expected: str,
        reason: str = "",
        length: int = 1,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(
            message, column=column, length=length, expected=expected, reason=reason, suggestion=suggestion
        )
        self.column = column
        self.length = length
        self.expected = expected
        self.reason = reason
        self.suggestion = suggestion


class AddressRefused(BadInput):
    code = "address-refused"


class Unauthorized(GoniecError):
    code = "unauthorized"


class Forbidden(GoniecError):
    code = "forbidden"


class NotFound(GoniecError):
    code = "not-found"


class Conflict(GoniecError):
    code = "conflict"


class TooLarge(GoniecError):
    code = "too-large"


class RateLimited(GoniecError):
    code = "rate-limited"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class SettingsError(GoniecError):
    code = "settings"


class Unavailable(GoniecError):
    code = "unavailable"
