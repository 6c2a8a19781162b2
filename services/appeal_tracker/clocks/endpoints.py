"""`POST /v1/deadline-calculations`: what the deadlines of an appeal would be; nothing is stored."""

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from pydantic import ValidationError

from appeal_tracker.clocks.calculations import Calculation as Calculated
from appeal_tracker.clocks.calculations import Calculator, calculator
from appeal_tracker.clocks.schemas import Calculation, Calculations, Case, OneOrMany
from chassis.web.answer import language_of
from chassis.web.auth import Asker
from chassis.web.errors import Problem, Unprocessable
from chassis.web.route import Router
from chassis.web.validation import field_error
from chassis.web.work import Tx

router = Router(prefix="/v1/deadline-calculations", tags=["deadlines"])

# Ten thousand cases, amply.
_LARGEST = 4 << 20


@router.post("", response_model=Calculation | Calculations, max_body_size=_LARGEST)
async def calculate_deadlines(
    body: OneOrMany,
    caller: Asker,
    tx: Tx,
    request: Request,
    explain: Annotated[bool, Query(description="list every day from start to deadline, counted or not")] = False,
) -> Response:
    """The deadlines of one case, or of up to ten thousand. By no pack and no unit they are those of `t-sdpea`; the
    caller's own unit plays no part, but to say which units it sees."""
    if isinstance(body, Case):
        ready = await calculator(tx, caller, [body], explained=explain)
        return _json(ready.calculate(body))
    cases = [_read(raw) for raw in body.cases]
    ready = await calculator(tx, caller, cases, explained=explain)
    answers = [_answer(ready, case) for case in cases]
    language = language_of(request.scope)
    return _json({"results": [a if isinstance(a, Calculated) else {"error": a.body(language)} for a in answers]})


def _read(raw: Any) -> Case | Problem:
    try:
        return Case.model_validate(raw)
    except ValidationError as error:
        return Unprocessable(*(field_error({**each, "loc": ("body", *each["loc"])}) for each in error.errors()))


def _answer(ready: Calculator, case: Case | Problem) -> Calculated | Problem:
    if isinstance(case, Problem):
        return case
    try:
        return ready.calculate(case)
    except Problem as problem:
        return problem


def _json(answer: object) -> Response:
    # Thousands of answers are written as they are: checking them against the response model would cost more than they.
    return Response(msgspec.json.encode(answer), media_type="application/json")
