"""Which streams are of a service: LOKI_SERVICE_LABEL_KEY and LOKI_SELECTOR_TEMPLATE.

The template is taken apart once and never filled in as text: what is left of it are matchers,
so that a service name cannot become part of a query.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from aegis.adapters.loki.logql import Matcher, Operator, re2_literal
from aegis.model.errors import ConfigurationError

LABEL_KEY = "LOKI_SERVICE_LABEL_KEY"
TEMPLATE = "LOKI_SELECTOR_TEMPLATE"
LONGEST_TEMPLATE = 512

_HOLES = {"label_key", "service"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MATCHER = re.compile(
    r'\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\["\\])*)"\s*(,|$)', re.ASCII
)
_KEY_MARK, _SERVICE_MARK = "aegis_label_key_goes_here", "\x00"


@dataclass(frozen=True, slots=True)
class ServiceSelector:
    """`label` None: to be discovered. `scope` are matchers that every query carries.

    `before` and `after` stand around the service in the value of its label, as in the
    job label `shop/checkout`.
    """

    label: str | None = None
    scope: tuple[Matcher, ...] = ()
    before: str = ""
    after: str = ""

    def value_of(self, service: str) -> str:
        return f"{self.before}{service}{self.after}"

    def service_in(self, value: str) -> str:
        """The service that a value of the label names."""
        return value.removeprefix(self.before).removesuffix(self.after)

    def fits(self, value: str) -> bool:
        """Whether a value of the label is one that names a service."""
        return value.startswith(self.before) and value.endswith(self.after)

    def of_values(self, label: str, values: Sequence[str]) -> tuple[Matcher, ...]:
        """Streams whose label has one of these values, of which there is at least one."""
        if len(values) == 1:
            return (*self.scope, Matcher(label, "=", values[0]))
        pattern = "|".join(re2_literal(value) for value in values)
        return (*self.scope, Matcher(label, "=~", f"({pattern})"))

    def of_every_service(self, label: str) -> tuple[Matcher, ...]:
        pattern = f"{re2_literal(self.before)}.+{re2_literal(self.after)}"
        return (*self.scope, Matcher(label, "=~", pattern))


def service_selector(label_key: str | None, template: str | None) -> ServiceSelector:
    """From the two settings; ConfigurationError names the one that is wrong."""
    if label_key is not None and not _NAME.fullmatch(label_key):
        raise ConfigurationError(
            f"{LABEL_KEY}: must be a label name (letters, digits, _), is {label_key!r}"
        )
    if not template:
        return ServiceSelector(label_key)
    if len(template) > LONGEST_TEMPLATE:
        raise _wrong(f"is longer than {LONGEST_TEMPLATE} characters")
    matchers = _matchers(_filled(template))
    named = [one for one in matchers if _SERVICE_MARK in one.value]
    if len(named) != 1 or named[0].value.count(_SERVICE_MARK) != 1:
        raise _wrong("must hold {service} in the value of exactly one matcher")
    if named[0].operator != "=":
        raise _wrong("must compare {service} with =")
    scope = tuple(one for one in matchers if one is not named[0])
    if any(_KEY_MARK in one.label for one in scope):
        raise _wrong("must hold {label_key} only before {service}")
    before, after = named[0].value.split(_SERVICE_MARK)
    label = label_key if named[0].label == _KEY_MARK else named[0].label
    return ServiceSelector(label, scope, before, after)


def _filled(template: str) -> str:
    """The template with marks in its holes."""
    filled = []
    try:
        for text, hole, form, conversion in string.Formatter().parse(template):
            filled.append(text)
            if hole is None:
                continue
            if hole not in _HOLES or form or conversion:
                raise _wrong("may hold {label_key} and {service} and nothing else in braces")
            filled.append(_KEY_MARK if hole == "label_key" else _SERVICE_MARK)
    except ValueError:
        raise _wrong("is no Python format text: a brace of LogQL is written twice") from None
    return "".join(filled)


def _matchers(selector: str) -> list[Matcher]:
    inner = selector.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise _wrong("must be one stream selector: {{ matchers }}")
    inner, place = inner[1:-1], 0
    found = []
    while place < len(inner):
        match = _MATCHER.match(inner, place)
        if match is None:
            raise _wrong('must be matchers such as {label_key}="{service}" with commas between')
        operator: Operator = match[2]  # type: ignore[assignment]
        found.append(Matcher(match[1], operator, re.sub(r"\\(.)", r"\1", match[3])))
        place = match.end()
    return found


def _wrong(why: str) -> ConfigurationError:
    return ConfigurationError(f"{TEMPLATE}: {why}")
