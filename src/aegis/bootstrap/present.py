"""What time it is, for commands that need nothing else of the world."""

from __future__ import annotations

from datetime import datetime

from aegis.adapters.system_clock import SystemClock


def now() -> datetime:
    return SystemClock().now()
