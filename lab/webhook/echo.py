"""The least that FastAPI can do with a webhook: `uvicorn lab.webhook.echo:app`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.post("/")
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    return body
