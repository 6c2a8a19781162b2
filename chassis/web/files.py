"""Files as they are kept, streamed to whoever asks for them: to be saved, never shown; whole, or from some byte on."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from chassis.web.errors import Problem, Words
from chassis.web.etag import none_match

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
# For a route's `responses`.
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "the bytes", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "some of them", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
}

# Reads from a place to before another.
Reader = Callable[[int, int], AsyncIterator[bytes]]


class RangeNotSatisfiable(Problem):
    status = 416
    slug = "range-not-satisfiable"
    title = Words("请求的范围不存在", "There are no such bytes")
    detail = Words("内容共 {size} 字节。", "There are {size} bytes.")


def file_headers(name: str) -> dict[str, str]:
    """Headers by which a browser saves what it is given under `name`, and takes it for nothing else than it is said
    to be."""
    plain = _PLAIN.sub("_", name.encode("ascii", "replace").decode())
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-cache",
    }


def file_response(request: Request, read: Reader, *, name: str, media_type: str, size: int, tag: str) -> Response:
    """The answer to a GET of a file that never changes under its `tag`; takes up where a download broke off.

    Raises `RangeNotSatisfiable`. A range of several pieces is answered with all there is, as RFC 9110 allows.
    """
    headers = {**file_headers(name), "ETag": f'"{tag}"', "Accept-Ranges": "bytes"}
    if none_match(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    wanted = _wanted(request, headers["ETag"], size)
    start, end = wanted or (0, size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(read(start, end), 206 if wanted else 200, headers, media_type)


def _wanted(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for; None for all, also where the caller's beginning is of another file."""
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or request.headers.get("if-range", tag) != tag:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size:
        problem = RangeNotSatisfiable(size=size)
        problem.headers = {"Content-Range": f"bytes */{size}"}
        raise problem
    return start, end
