"""How the Zendesk stand-in pages its lists and tells of errors, as "Pagination" and "Responses" have it."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from integrations.sandbox.zendesk_desk import Record

_SORTED_BY = ("id", "created_at", "updated_at")


def page(request: Request, key: str, records: list[Record]) -> Record:
    """One page of a list, by a cursor where the request asks for such."""
    asked = request.query_params
    by = asked.get("sort", "id").removeprefix("-")
    if by not in _SORTED_BY:
        raise HTTPException(400, "sort is not valid")
    falling = asked.get("sort", "").startswith("-")
    records = sorted(records, key=lambda record: (record[by], record["id"]), reverse=falling)
    size = asked.get("page[size]")
    if size is None:
        return {key: records[:100], "next_page": None, "previous_page": None, "count": len(records)}
    if not size.isdigit() or not 1 <= int(size) <= 100:
        raise HTTPException(400, "page[size] must be from 1 to 100")
    if "page[after]" in asked:
        last = json.loads(base64.urlsafe_b64decode(asked["page[after]"]))
        behind = [(record[by], record["id"]) < (last[0], last[1]) for record in records]
        beyond = [(record[by], record["id"]) > (last[0], last[1]) for record in records]
        records = [record for record, on in zip(records, behind if falling else beyond, strict=True) if on]
    shown, more = records[: int(size)], len(records) > int(size)
    last = json.dumps([shown[-1][by], shown[-1]["id"]]).encode() if shown else b""
    cursor = base64.urlsafe_b64encode(last).decode() if shown else None
    onward = f"{request.url.include_query_params(**{'page[after]': cursor})}" if more else None
    return {
        key: shown,
        "meta": {"has_more": more, "after_cursor": cursor, "before_cursor": None},
        "links": {"next": onward, "prev": None},
    }


class _Invalid(HTTPException):
    """A 422 in Zendesk's shape."""

    def __init__(self, field: str, description: str, error: str | None) -> None:
        super().__init__(422)
        self.body = {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {field: [{"description": description, "error": error}]},
        }


def invalid(field: str, description: str, error: str | None = None) -> _Invalid:
    return _Invalid(field, description, error)


def refuse_closed(record: Record) -> None:
    if record["status"] == "closed":
        raise invalid("status", "Status: closed prevents ticket update")


async def body_of(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "the body is not JSON") from None
    return body if isinstance(body, dict) else {}


def refused(request: Request, error: Exception) -> Response:
    if isinstance(error, _Invalid):
        return JSONResponse(error.body, 422)
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return JSONResponse({"error": "RecordNotFound", "description": "Not found"}, 404)
    detail = error.detail if isinstance(error, HTTPException) else ""
    return JSONResponse({"error": {"title": "Invalid attribute", "message": detail}}, status)
