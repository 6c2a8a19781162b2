"""Schemathesis against a service of the stack: each generated request goes straight into the app, with no socket."""

import asyncio
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from schemathesis import BaseSchema, Case, CheckContext, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.contract.places import Place, document_of


class IntoApp(HTTPAdapter):
    """Carries the requests of a synchronous session into an app on `loop`, which stands still between them."""

    def __init__(self, app: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._app, self._loop = app, loop

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """The app's answer."""
        content, headers = request.body, {name: _text(value) for name, value in request.headers.items()}
        assert content is None or isinstance(content, str | bytes), "no files are sent"
        answer = self._loop.run_until_complete(
            self._app.request(
                str(request.method),
                str(request.url),
                content=content,
                headers=httpx.Headers(headers, encoding="latin-1"),
            )
        )
        # Its content is unpacked already.
        packed = {"content-encoding", "content-length"} if "content-encoding" in answer.headers else set()
        its = [(name, value) for name, value in answer.headers.multi_items() if name not in packed]
        raw = HTTPResponse(
            body=BytesIO(answer.content),
            headers=HTTPHeaderDict(its),
            status=answer.status_code,
            preload_content=False,
        )
        return self.build_response(request, raw)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


# Where many are sent at once, and what the answer says of one that does not fit.
MANY_AT_ONCE = {"/v1/sync/push": '"refused"', "/v1/deadline-calculations": '"error"'}


def problem_shape(context: CheckContext, response: schemathesis.Response, case: Case[Any]) -> None:
    """What is refused is refused with a whole problem, of that status, that leads somewhere."""
    if response.status_code >= 400:
        problem = response.json()
        assert problem["status"] == response.status_code
        assert problem["type"].startswith("/problems/")
        assert problem["title"]
        assert problem["trace_id"]


def what_does_not_fit_is_refused(context: CheckContext, response: schemathesis.Response, case: Case[Any]) -> None:
    """As a whole; or where many are sent at once, by itself, so that what came beside it is not lost."""
    if response.status_code == 200 and (refused := MANY_AT_ONCE.get(case.operation.path)):
        assert case.meta is None or case.meta.generation.mode.is_positive or refused in response.text
    else:
        negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    what_does_not_fit_is_refused,
    problem_shape,
]


@cache
def _described(service: str) -> BaseSchema:
    return schemathesis.openapi.from_dict(document_of(service))


def fuzz(
    place: Place,
    session: Session,
    *,
    thing: str,
    names: dict[str, Any],
    token: Callable[[], str],
    examples: int,
    always_the_same: bool,
) -> None:
    """Calls `place` with requests that fit its description and with such that do not, `examples` in all.

    All are about `thing`; of those that fit, half have in their bodies what `names` has: otherwise hardly any would
    come further than the check of names. `token` gives a new caller each time, so that no Idempotency-Key is used
    twice.
    """
    operation = _described(place.service)[place.path][place.method]
    _, _, rest = place.path.partition("{")
    about = {rest.partition("}")[0]: thing} if rest else None
    fixed = {"Authorization": "Bearer", **place.headers}
    cases = [operation.as_strategy(mode, headers=fixed, path_parameters=about) for mode in GenerationMode]

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=always_the_same,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases), named=st.booleans())
    def call(case: Case[Any], named: bool) -> None:
        fits = case.meta is not None and case.meta.generation.mode.is_positive
        if fits and named and isinstance(case.body, dict):
            case.body.update({name: names[name] for name in case.body.keys() & names.keys()})
        case.call_and_validate(
            session=session, base_url="http://app", headers={"Authorization": f"Bearer {token()}"}, checks=CHECKS
        )

    call()
