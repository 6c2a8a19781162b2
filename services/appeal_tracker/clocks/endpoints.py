"""`POST /v1/deadline-calculations`: what the deadlines of an appeal would be; nothing is stored.

`POST /v1/policies/{policy}/withdraw` is here, and not with the packs, since it silences what runs by one.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Query, Request, Response
from pydantic import ValidationError

from appeal_tracker.clocks import silencing
from appeal_tracker.clocks.calculations import Calculation as Calculated
from appeal_tracker.clocks.calculations import Calculator, calculator
from appeal_tracker.clocks.schemas import (
    Calculation,
    Calculations,
    Case,
    OneOrMany,
    WithdrawnPolicy,
    WithdrawPolicy,
)
from appeal_tracker.policies import publishing
from chassis.web.answer import language_of
from chassis.web.auth import ADMIN, Asker, require
from chassis.web.errors import Problem, Unprocessable
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.validation import field_error
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1")

# Ten thousand cases, amply.
_LARGEST = 4 << 20


@router.post(
    "/deadline-calculations",
    response_model=Calculation | Calculations,
    max_body_size=_LARGEST,
    tags=["deadlines"],
)
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


@router.post("/policies/{policy}/withdraw", tags=["policies"])
async def withdraw_policy(
    policy: Code,
    body: WithdrawPolicy,
    caller: Annotated[Principal, Depends(require(ADMIN))],
    tx: Tx,
    runtime: TheRuntime,
) -> WithdrawnPolicy:
    """Has nothing begin by a pack any more that is received from now on. What runs by it runs on and tells nobody: its
    warnings and escalations are gone, and a breach is recorded all the same. What is merged goes on to tell by what the
    other packs of its group say.

    A unit that had picked it goes by the choice of the nearest unit above, which may be laxer, or by the floor, until
    it picks anew: what it had picked before was replaced, and does not come back."""
    withdrawal = await publishing.withdraw(tx, runtime, caller, policy, body.reason)
    silenced = await silencing.silence(tx, policy, runtime.clock.now())
    return WithdrawnPolicy(
        policy=policy,
        withdrawn_at=withdrawal.withdrawn_at,
        withdrawn_by=withdrawal.withdrawn_by,
        reason=withdrawal.reason,
        open_appeals=silenced,
    )


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
