"""Every error Aegis raises on purpose.

    AegisError
    ├── InvalidRequest        the caller asked for something that cannot be answered
    │   ├── InvalidWindow     end before start, or a window without telemetry
    │   └── UnknownService    a service nobody recorded
    ├── InvalidCase           a case folder that does not follow aegis-case/1
    ├── ConfigurationError    a setting that is missing or wrong
    └── SourceError           a telemetry source did not answer
        ├── SourceUnavailable  may work if asked again
        └── SourceRejected     will not work if asked again
            └── AnswerTooLarge  over the size cap: ask for less

Raise the leaf; catch where something can be done; catch the root only in entrypoints.
"""


class AegisError(Exception):
    """Root of the tree. `str(error)` is one line that a user can act on."""


class InvalidRequest(AegisError):
    """The question cannot be answered as asked; `field` names the offending input."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class InvalidWindow(InvalidRequest):
    """A time window that is empty, reversed or holds no telemetry."""


class UnknownService(InvalidRequest):
    """A service that occurs nowhere in the telemetry."""


class InvalidCase(AegisError):
    """A case folder breaks the format; `file` and `field` say where."""

    def __init__(self, file: str, field: str | None, message: str) -> None:
        where = f"{file}: {field}" if field else file
        super().__init__(f"{where}: {message}")
        self.file = file
        self.field = field


class ConfigurationError(AegisError):
    """A setting is missing or wrong; the message names it."""


class SourceError(AegisError):
    """A telemetry source did not give an answer."""


class SourceUnavailable(SourceError):
    """Down, slow or overloaded: the same request may succeed later."""


class SourceRejected(SourceError):
    """Refused: the same request will fail again."""


class AnswerTooLarge(SourceRejected):
    """Over the size cap; a narrower question may fit."""
