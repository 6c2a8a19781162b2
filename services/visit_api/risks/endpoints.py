"""Suggestions over HTTP."""

from typing import Annotated

from fastapi import Depends, Query

from chassis.web.auth import Caller, require
from chassis.web.paging import Gone, Listing, OrGone, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from visit_api.risks import repository, service
from visit_api.risks.models import State, Suggestion
from visit_api.risks.schemas import Confirmation, Dismissal, SuggestionView

router = Router(prefix="/v1/risk-suggestions", tags=["risks"])

Decider = Annotated[Principal, Depends(require("supervisor"))]


@router.get("", response_model=Page[OrGone[SuggestionView]])
async def list_risk_suggestions(
    caller: Caller,
    tx: Tx,
    window: Paging,
    state: Annotated[State | None, Query()] = None,
    customer_id: Annotated[Id | None, Query()] = None,
) -> Listing[Suggestion | Gone]:
    """Which customers may be at risk, and why (§4.4.2); a feed tells by id of those whose customer went to another
    unit."""
    return await repository.find_all(tx, caller.unit, window, state=state, customer_id=customer_id)


@router.get("/{id}", response_model=SuggestionView)
async def get_risk_suggestion(id: Id, caller: Caller, tx: Tx) -> Suggestion:
    """One suggestion."""
    return await service.get_suggestion(tx, caller, id)


@router.post("/{id}/confirm", response_model=SuggestionView)
async def confirm_risk(id: Id, said: Confirmation, caller: Decider, tx: Tx, runtime: TheRuntime) -> Suggestion:
    """Confirms that the customer is at risk, which marks it so."""
    return await service.decide(tx, runtime, caller, id, "confirmed", said.note)


@router.post("/{id}/dismiss", response_model=SuggestionView)
async def dismiss_risk(id: Id, said: Dismissal, caller: Decider, tx: Tx, runtime: TheRuntime) -> Suggestion:
    """Dismisses the suggestion; it comes again only for what was not known then."""
    return await service.decide(tx, runtime, caller, id, "dismissed", said.reason)
