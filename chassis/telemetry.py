"""Trace context, JSON logs and metric buckets: what one thing looks like on its way through HTTP, outbox and topics.

Nothing here writes request or event contents. Log lines carry ids, codes and times; an exception is written without its
message where the message would quote the value it choked on.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec

# Seconds; for histograms of requests, batches and lags alike, so that dashboards can lay them side by side.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# W3C Trace Context: later versions may append fields, ff is forbidden, all-zero ids are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current_traceparent() -> str | None:
    """The `traceparent` of what is being done now, to be handed on; None outside any request or event."""
    return _current.get()


def current_trace_id() -> str | None:
    """The trace id of what is being done now."""
    return trace_id(_current.get())


def trace_id(traceparent: str | None) -> str | None:
    """The trace that a `traceparent` belongs to."""
    return traceparent[3:35] if traceparent else None


@contextmanager
def traced(parent: str | None) -> Iterator[str]:
    """Runs its block as a child of `parent`, or as the root of a new trace when that is absent or malformed."""
    match = _TRACEPARENT.fullmatch(parent) if parent and len(parent) <= 256 else None
    trace_id, flags = match.group(1, 2) if match else (os.urandom(16).hex(), "01")
    own = f"00-{trace_id}-{os.urandom(8).hex()}-{flags}"
    token = _current.set(own)
    try:
        yield own
    finally:
        _current.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, logger, message, trace, and whatever `extra` names."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if traceparent := _current.get():
            line["trace_id"], line["span_id"] = traceparent[3:35], traceparent[36:52]
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
    "color_message",
}


def describe(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what caused it, as type, place and — where it cannot quote a value — message."""
    links: list[dict[str, Any]] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        links.append(_describe_one(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return links


def _describe_one(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-20:]
    described: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    if state:
        described["sqlstate"] = state
    elif not isinstance(error, (ValueError, LookupError)) and not hasattr(error, "params"):
        # A ValueError (validation, decoding), a LookupError and a failed statement quote the value: leave them out.
        described["message"] = str(error)[:500]
    return described


def setup_logging(service: str, level: str = "INFO") -> None:
    """Sends every log line of the process to standard output as JSON; uvicorn's own access log is silenced."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    # These repeat what our own lines say, once per record or request.
    for name in ("aiokafka", "httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
