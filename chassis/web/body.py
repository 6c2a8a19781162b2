"""Request bodies: read once, up to a limit, and taken as JSON only when they are sound."""

import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.requests import Request

from chassis.web.errors import (
    FieldError,
    MalformedJson,
    TooLarge,
    Unprocessable,
    UnsupportedEncoding,
    UnsupportedMediaType,
    Words,
)
from chassis.web.validation import pointer

DEEPEST = 32  # levels of nesting; the deepest body of ours has five

# Clients that take it for the charset name one here; what they send is as it is.
_UNPACKED = frozenset({"", "identity", "utf-8"})

_TOO_DEEP = Words("嵌套过深", "Nested too deeply")
_NUL = Words("含有不允许的 NUL 字符", "Contains a NUL character")
_SURROGATE = Words("含有孤立的代理字符", "Contains a lone surrogate")


class BoundedRequest(Request):
    """A request of which no more than `limit` bytes are ever read, whether or not it says its length, and none of what
    is packed."""

    limit: int

    async def stream(self) -> AsyncGenerator[bytes, None]:
        if self.headers.get("content-encoding", "").lower() not in _UNPACKED:
            raise UnsupportedEncoding
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self.limit:
            raise TooLarge(limit=self.limit)
        size = 0
        async with aclosing(super().stream()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.limit:
                    raise TooLarge(limit=self.limit)
                yield chunk

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = decode(await self.body())
        return self._json

    async def prepare_json(self) -> None:
        """Reads the body, if there is one, and refuses what is not sound JSON."""
        if await self.body():
            media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json" and not (
                media_type.startswith("application/") and media_type.endswith("+json")
            ):
                raise UnsupportedMediaType
            await self.json()


def decode(body: bytes) -> Any:
    """The JSON value in `body`; refuses NUL characters, lone surrogates, non-finite numbers and deep nesting."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise Unprocessable(FieldError("", "json_too_deep", _TOO_DEEP)) from error
    except ValueError as error:
        raise _explain(body) from error
    # Counting bytes is nearly free; only a body that could be bad is walked.
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        _refuse_depth(value)
    if b"\\u0000" in body:
        _refuse_text(value, lambda text: "\0" in text, "string_nul", _NUL)
    return value


def _explain(body: bytes) -> Exception:
    try:
        value = json.loads(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        return MalformedJson(position=error.pos)
    except (ValueError, RecursionError):
        return MalformedJson()
    # The lenient decoder takes what the strict one does not: lone surrogates and numbers beyond all range.
    _refuse_text(value, lambda text: any("\ud800" <= sign <= "\udfff" for sign in text), "string_unicode", _SURROGATE)
    return MalformedJson()


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        inside = (item for node in level for item in (node.values() if isinstance(node, dict) else node))
        level = [item for item in inside if isinstance(item, (dict, list))]
    if level:
        raise Unprocessable(FieldError("", "json_too_deep", _TOO_DEEP))


def _refuse_text(value: Any, bad: Callable[[str], bool], code: str, words: Words) -> None:
    for path, node in _walk(value):
        if isinstance(node, str) and bad(node):
            raise Unprocessable(FieldError(pointer(path), code, words))
        if isinstance(node, dict) and any(map(bad, node)):
            raise Unprocessable(FieldError(pointer(path), code, words))


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        if isinstance(node, dict):
            waiting.extend(((*path, key), item) for key, item in node.items())
        elif isinstance(node, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(node))
