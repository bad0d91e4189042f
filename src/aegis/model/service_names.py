"""What two spellings of a service have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SAYS_NOTHING = re.compile(r"-(?:service|svc)$")
_DOMAIN = re.compile(r"\.[a-z0-9-]+\.svc(?:\..*)?$|\.svc(?:\..*)?$")


def plain_name(name: str) -> str:
    """Lower case, without namespace, provider and cluster domain, dashes for underscores."""
    plain = name.strip().lower().rsplit("/", 1)[-1].split("@", 1)[0]
    return _DOMAIN.sub("", plain).replace("_", "-") or name


def short_name(plain: str) -> str:
    """A plain name less an ending that every service could have."""
    return _SAYS_NOTHING.sub("", plain)


def spelled(service: str, known: Sequence[str]) -> list[str]:
    """Those of the known names that mean the service: itself, else what is spelled otherwise,
    else what differs in an ending that says nothing."""
    if service in known:
        return [service]
    plain = plain_name(service)
    alike = [one for one in known if plain_name(one) == plain]
    return alike or [one for one in known if short_name(plain_name(one)) == short_name(plain)]
