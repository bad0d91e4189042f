"""`python -m aegis.entrypoints.http.openapi`: the OpenAPI document, to keep beside the docs."""

from __future__ import annotations

import json
import sys
from typing import Any
from zoneinfo import ZoneInfo

from aegis.entrypoints.http.app import create_app
from aegis.settings import Settings


def document() -> dict[str, Any]:
    """The same on every machine: no setting shows in it."""
    return create_app(Settings("zh", ZoneInfo("UTC"))).openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), ensure_ascii=False, indent=1) + "\n")
