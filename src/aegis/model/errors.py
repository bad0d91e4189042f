"""Every error Aegis raises on purpose.

    AegisError
    ├── InvalidRequest        the caller asked for something that cannot be answered
    │   ├── InvalidWindow     end before start, or a window without telemetry
    │   ├── UnknownService    a service nobody recorded
    │   └── UnsupportedQuery  an expression this source does not evaluate
    ├── InvalidCase           a case folder that does not follow aegis-case/1
    ├── ConfigurationError    a setting that is missing or wrong
    ├── SourceError           a telemetry source did not answer
    │   ├── SourceUnavailable  may work if asked again
    │   └── SourceRejected     will not work if asked again
    │       └── AnswerTooLarge  over the size cap: ask for less
    ├── StoreUnavailable      the database cannot keep or read anything now
    └── DeliveryError         a message did not reach its chat
        ├── DeliveryUnavailable  may work if sent again
        └── DeliveryRefused      will not work if sent again
            ├── MessageTooLarge  over the platform's size: split it
            └── ChatUnreachable  the bot is not in the chat, or the message is gone

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


class UnsupportedQuery(InvalidRequest):
    """An expression that is right, but that this source does not evaluate."""


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


class StoreUnavailable(AegisError):
    """Locked, full, down: nothing was kept, and the same call may succeed later."""


class DeliveryError(AegisError):
    """A message did not reach its chat; `code` is the platform's, None where it gave none."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class DeliveryUnavailable(DeliveryError):
    """Down, slow or over its rate: the same bytes may be taken later.

    `retry_after_s` is how long the platform asks to wait, None where it does not say.
    `may_have_arrived` is true where the answer was lost and not the request.
    """

    def __init__(
        self,
        message: str,
        code: int | None = None,
        retry_after_s: float | None = None,
        may_have_arrived: bool = False,
    ) -> None:
        super().__init__(message, code)
        self.retry_after_s = retry_after_s
        self.may_have_arrived = may_have_arrived


class DeliveryRefused(DeliveryError):
    """The same bytes will be refused again."""


class MessageTooLarge(DeliveryRefused):
    """Over the platform's size: less must be said at once."""


class ChatUnreachable(DeliveryRefused):
    """The bot is not in the chat, or the message to answer or replace is gone."""
