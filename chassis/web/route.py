"""The one kind of route services have: guarded, strict about what it is sent, and committed before it answers."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.routing import Match as Matched
from starlette.types import Scope

from chassis import crash
from chassis.web import documents, etag, idempotency
from chassis.web.auth import guards_of
from chassis.web.body import BoundedRequest
from chassis.web.errors import FieldError, NotFound, Unprocessable, Words
from chassis.web.work import UnitOfWork, begin

_OVERWRITING = frozenset({"PUT", "PATCH", "DELETE"})
_UNKNOWN = Words("未知的查询参数", "Unknown query parameter")
_NUL = Words("含有不允许的 NUL 字符", "Contains a NUL character")

Handle = Callable[[Request], Awaitable[Response]]


class UnitOfWorkRoute(APIRoute):
    """One request, one transaction, committed before the response leaves; what fails to commit is never answered 2xx.

    In order: the guard (401, 403), the body (413, 415, 400), the query, the Idempotency-Key, the endpoint. Any
    exception and any answer of 400 or more rolls back. Declared wrongly — no guard, or PUT, PATCH, DELETE without
    `Match` — it raises `TypeError` at import.
    """

    overwrites: ClassVar[bool] = True  # PUT, PATCH, DELETE: what they write over was there to be read

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # FastAPI's own limit would answer in plain text; ours reads the same parameter.
        self.body_limit: int | None = options.pop("max_body_size", None)
        options["operation_id"] = options.get("operation_id") or getattr(endpoint, "__name__", None)
        super().__init__(path, endpoint, **options)
        guards = guards_of(self.dependant)
        self._query_names = _query_names(self.dependant)
        self._takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, Form)
        (method,) = self.methods or {"GET"}
        overwrites = self.overwrites and method in _OVERWRITING
        if len(guards) != 1:
            raise TypeError(f"{method} {path} must say who may call it, once: `caller: Caller`, or `require(…)`")
        if overwrites and etag.if_match not in [inner.call for inner in self.dependant.dependencies]:
            raise TypeError(f"{method} {path} overwrites, and must demand If-Match: `match: Match`")
        (self.guard,) = guards
        self._head, self._tail = path.partition("{")[0], path.rpartition("}")[2]
        self._slashes = path.count("/")
        followed = "updated_since" in self._query_names
        documents.describe(self, self.guard.admitted(method), overwrites=overwrites, followed=followed)

    def matches(self, scope: Scope) -> tuple[Matched, Scope]:
        """As FastAPI's; but a service has a hundred routes, each asked in turn, and most can be told by their ends."""
        path: str = scope["path"]
        if path.count("/") == self._slashes and path.startswith(self._head) and path.endswith(self._tail):
            return super().matches(scope)
        return Matched.NONE, {}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def endpoint(request: Request) -> Response:
            return etag.tag_overwritten(request, self.response_model, await inner(request))

        async def handle(original: Request) -> Response:
            await self.guard(original)
            request = BoundedRequest(original.scope, original.receive)
            request.limit = self.body_limit or request.app.state.runtime.settings.body_limit
            if self._takes_json:
                await request.prepare_json()
            self._refuse_query(request)
            async with UnitOfWork(request.app.state.runtime.db) as work:
                begin(request, work)
                response = await self._answer(endpoint, request, work)
                if response.status_code >= 400:
                    await work.undo()
            if request.method != "GET":
                crash.point("request.committed")
            return _with_etag(request, response) if request.method == "GET" else response

        return handle

    async def _answer(self, endpoint: Handle, request: Request, work: UnitOfWork) -> Response:
        key = None if request.method == "GET" else idempotency.key_of(request)
        if key is None:
            return await endpoint(request)
        return await idempotency.once(work.transaction, request, key, endpoint)

    def _refuse_query(self, request: Request) -> None:
        # PostgreSQL takes no NUL in text; no thing of ours has one in its name.
        if "\0" in request.scope["path"]:
            raise NotFound
        for name, value in request.query_params.multi_items():
            if name not in self._query_names:
                raise Unprocessable(FieldError(f"/{name[:100]}", "extra_forbidden", _UNKNOWN, "query"))
            if "\0" in value:
                raise Unprocessable(FieldError(f"/{name}", "string_nul", _NUL, "query"))


class FillingRoute(UnitOfWorkRoute):
    """A PUT of what is known beforehand, a piece of something whose hash was declared: sent again it is the same, and
    nobody's reading is written over, so no `If-Match` is asked."""

    overwrites = False


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    return names.union(*(_query_names(inner) for inner in dependant.dependencies))


def _with_etag(request: Request, response: Response) -> Response:
    # What is streamed has no body yet, and nothing to tell it by.
    body = getattr(response, "body", None)
    if response.status_code != 200 or not isinstance(body, bytes):
        return response
    tag = etag.etag_of(body)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    if etag.none_match(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
    return response


# A slice's router: `router = Router(prefix="/v1/units", tags=["units"])`.
Router = partial(APIRouter, route_class=UnitOfWorkRoute)
