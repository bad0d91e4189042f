"""What two spellings of a service have in common."""

from __future__ import annotations

import re

_DOMAIN = re.compile(r"\.[a-z0-9-]+\.svc(?:\..*)?$|\.svc(?:\..*)?$")


def plain_name(name: str) -> str:
    """Lower case, without namespace, provider and cluster domain, dashes for underscores."""
    plain = name.strip().lower().rsplit("/", 1)[-1].split("@", 1)[0]
    return _DOMAIN.sub("", plain).replace("_", "-") or name
