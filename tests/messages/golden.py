"""The cards of the captures, as they were looked at and found good.

`python -m tests.messages.golden` writes them anew: read the difference before you keep it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aegis.model.text import Language
from aegis.workflows.deliver_messages.compose import compose
from tests.messages.states import CAPTURES, captured, style

FOLDER = Path(__file__).parent / "golden"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def names() -> list[str]:
    return sorted(path.stem for path in CAPTURES.glob("*.json"))


def card_of(name: str, language: Language) -> dict[str, Any]:
    hosts = ("runbooks.example.invalid",)
    given = style(language, link_hosts=hosts, public_url="https://aegis.example.com")
    (draft,) = compose(captured(name), given)
    return {"card": json.loads(draft.content), "text": json.loads(draft.fallback)["text"]}


def path_of(name: str, language: Language) -> Path:
    return FOLDER / f"{name}.{language}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for found in names():
        for spoken in LANGUAGES:
            text = json.dumps(card_of(found, spoken), ensure_ascii=False, indent=1)
            path_of(found, spoken).write_text(text + "\n", encoding="utf-8")
