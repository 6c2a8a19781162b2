"""ETags: what a GET answered, by its bytes; and the demand that it be unchanged before it is written over."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from chassis.web.errors import PreconditionFailed, PreconditionRequired

# A check of the thing as it is, once its row is locked: raises `PreconditionFailed` where the caller saw another.
Unchanged = Callable[[object], None]


def etag_of(body: bytes) -> str:
    """The strong ETag of a representation."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def none_match(header: str, tag: str) -> bool:
    """Whether `If-None-Match` says that the caller has `tag` already; weakly compared, as RFC 9110 wants it here."""
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))


class IfMatch:
    """The caller's `If-Match`. The service calls `on(View)(row)` once it holds the row's lock."""

    def __init__(self, header: str) -> None:
        self.view: Any = None  # what the thing was compared as
        self._tags = [part.strip() for part in header.split(",")]

    def on(self, view: Any) -> Unchanged:
        """A check of the thing as it is, shown as `view`, the response model of its GET: raises `PreconditionFailed`
        unless the caller was shown exactly that."""
        self.view = view
        adapter: TypeAdapter[Any] = TypeAdapter(view)

        def unchanged(current: object) -> None:
            # The same two steps, with the same arguments, by which FastAPI renders the GET.
            shown = adapter.dump_json(adapter.validate_python(current, from_attributes=True), by_alias=True)
            if "*" not in self._tags and etag_of(shown) not in self._tags:
                raise PreconditionFailed

        return unchanged


async def if_match(request: Request) -> IfMatch:
    """The request's `If-Match`. Raises `PreconditionRequired`."""
    header = request.headers.get("if-match")
    if header is None:
        raise PreconditionRequired
    match = request.state.if_match = IfMatch(header)
    return match


def tag_overwritten(request: Request, model: Any, response: Response) -> Response:
    """`response` with the ETag that a GET would give now, if `model`, by which it shows what was overwritten, is the
    one of the GET: whoever goes on writing need not read first."""
    match: IfMatch | None = getattr(request.state, "if_match", None)
    if match is not None and match.view is model and response.status_code == 200:
        response.headers["ETag"] = etag_of(bytes(response.body))
    return response


Match = Annotated[IfMatch, Depends(if_match)]
