"""Where a browser finds the user interfaces that evidence can be shown in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

DataSource = Literal["prometheus", "loki", "jaeger"]


def usual_uid(source: DataSource) -> str:
    """What Grafana's data source is called where nobody says otherwise; its name works too."""
    return source


@dataclass(frozen=True, slots=True)
class ExternalAddresses:
    """Addresses as a browser opens them, without a slash at the end; None where there is none.

    `uids` are those of Grafana's data sources. `log_selector` is the stream selector of a
    service with `{service}` in it, in Python's format syntax.
    """

    grafana: str | None = None
    prometheus: str | None = None
    jaeger: str | None = None
    uids: dict[DataSource, str] = field(default_factory=dict)
    log_selector: str = '{{service_name="{service}"}}'

    def uid(self, source: DataSource) -> str:
        return self.uids.get(source) or usual_uid(source)


NO_ADDRESSES = ExternalAddresses()
