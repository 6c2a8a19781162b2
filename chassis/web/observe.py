"""The outermost layer of an app: trace context, one log line and one measurement per request, and the last resort."""

import logging
import time

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.outage import is_full, is_outage
from chassis.telemetry import SECONDS, traced
from chassis.web.answer import problem_response
from chassis.web.errors import Conflict, InvalidToken, Problem, ServiceUnavailable, StorageFull

log = logging.getLogger("chassis.web.requests")

_requests = Counter("http_requests", "Requests answered", ["service", "method", "route", "status"])
_seconds = Histogram("http_request_seconds", "Request to answer", ["service", "method", "route"], buckets=SECONDS)
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Observe:
    """Pure ASGI: a request's transaction must never run inside another task's cancellation.

    What nobody handled becomes 503 with Retry-After (an outage), 409 (a unique key taken meanwhile) or 500, without a
    word about the inside; all are logged with the trace.
    """

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with traced(Headers(scope=scope).get("traceparent")):
            try:
                await self.app(scope, receive, watched)
            except ClientDisconnect:
                status = status or 499
            except Exception as error:
                problem = _last_resort(error)
                if status:
                    raise  # too late to answer otherwise: the server breaks the connection off
                await problem_response(scope, problem)(scope, receive, watched)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        _requests.labels(self.service, method, route, status).inc()
        _seconds.labels(self.service, method, route).observe(seconds)
        line = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
        state = scope.get("state", {})
        if principal := state.get("principal"):
            line["sub"] = principal.sub
        if problem := state.get("problem"):
            line["problem"] = problem.slug
            if isinstance(problem, InvalidToken):
                line["reason"] = problem.reason
        log.log(logging.DEBUG if route in _QUIET else logging.INFO, "request", extra=line)


def _last_resort(error: Exception) -> Problem:
    if is_full(error):
        log.error("no room is left on a disk", exc_info=error)
        return StorageFull()
    if is_outage(error):
        log.warning("an outage ended a request", exc_info=error)
        return ServiceUnavailable()
    # unique_violation: a race its slice did not see
    if getattr(getattr(error, "orig", error), "sqlstate", None) == "23505":
        log.warning("two requests wanted the same", exc_info=error)
        return Conflict()
    log.error("a request failed unexpectedly", exc_info=error)
    return Problem()
