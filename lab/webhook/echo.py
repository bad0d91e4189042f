"""What FastAPI does with a webhook by itself: `uvicorn lab.webhook.echo:app`.

Without a response model, as in `async def echo(body: dict): return body`.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.post("/", response_model=None)
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    return body
