"""Answers made small for a bad line: brotli or gzip, as `Accept-Encoding` likes, under an ETag of its own."""

import gzip
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from chassis.web.etag import none_match
from chassis.web.route import UnitOfWorkRoute

_SMALLEST = 512  # bytes: less is not made smaller by much


def _brotli(body: bytes) -> bytes:
    import brotli  # where it is first used: few routes are compressed

    return bytes(brotli.compress(body, quality=5))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)  # the same bytes each time, as the ETag says


# The better liked of those that a caller takes is used; of equals, the one that stands first.
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {"br": _brotli, "gzip": _gzip}


class CompactRoute(UnitOfWorkRoute):
    """A route whose answers travel compressed; whoever has such an answer already is told so (304) by its own tag."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return _compressed(request, await inner(request))

        return handle


def coding_of(accept: str) -> str | None:
    """The coding that `Accept-Encoding` likes best of those we have; None for the bytes as they are (RFC 9110,
    12.5.3)."""
    likes: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=")
        try:
            likes[name.strip()] = float(quality) if quality else 1.0
        except ValueError:
            likes[name.strip()] = 0.0
    liked = {name: likes.get(name, likes.get("*", 0.0)) for name in _CODINGS}
    best = max(_CODINGS, key=lambda name: liked[name])  # the first of equals
    return best if liked[best] > 0 and liked[best] >= likes.get("identity", 0.0) else None


def _compressed(request: Request, response: Response) -> Response:
    body = getattr(response, "body", None)
    if response.status_code not in (200, 304) or not isinstance(body, bytes):
        return response
    response.headers["Vary"] = "Accept-Encoding"
    coding = coding_of(request.headers.get("accept-encoding", ""))
    if response.status_code == 304 or coding is None or len(body) < _SMALLEST:
        return response
    tag = response.headers.get("etag")
    if tag is not None:
        # Other bytes, so another strong tag.
        tag = response.headers["ETag"] = f'{tag[:-1]}-{coding}"'
        if none_match(request.headers.get("if-none-match", ""), tag):
            kept = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
            return Response(status_code=304, headers=kept)
    small = _CODINGS[coding](body)
    response.body = small
    response.headers["Content-Encoding"] = coding
    response.headers["Content-Length"] = str(len(small))
    return response


# A slice's router whose answers travel compressed.
CompactRouter = partial(APIRouter, route_class=CompactRoute)
