"""GET /alerts: every episode of every alert, and who was told of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from aegis.entrypoints.alert_json import page_json
from aegis.entrypoints.http.alert_schemas import LedgerAnswer, LedgerRequest
from aegis.entrypoints.http.alerting import alerting_of, errors
from aegis.entrypoints.http.problems import Detail, Problem, invalid
from aegis.model.errors import InvalidRequest, StoreUnavailable
from aegis.model.ledger import LedgerQuery


def ledger_routes() -> APIRouter:
    router = APIRouter(tags=["alerts"])

    @router.get("/alerts", response_model=LedgerAnswer, responses=errors(400, 401, 403, 503))
    async def alerts(asked: Annotated[LedgerRequest, Query()], request: Request) -> Response:
        """Every alert that was ever told of, newest first, with its deliveries."""
        _check_once(request)
        query = LedgerQuery(
            state=asked.state,
            name=asked.alertname,
            severity=asked.severity,
            group_keys=tuple(asked.group),
            chat_id=asked.chat,
            fingerprint=asked.fingerprint,
            limit=asked.limit,
            after=asked.cursor,
        )
        try:
            page = await alerting_of(request).store.page(query)
        except InvalidRequest as error:
            raise Problem(400, str(error), [Detail(error.field, str(error))]) from None
        except StoreUnavailable as error:
            raise Problem(503, str(error)) from None
        return JSONResponse(page_json(page))

    return router


def _check_once(request: Request) -> None:
    """Of two values one would be left out silently; only `group` may have several."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(names):
        if name != "group" and names.count(name) > 1:
            raise invalid(name, "is given more than once")
