"""`/v1/deadlines/{id}/explanation`: why a deadline is where it is, as data and as a page to be printed."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from appeal_tracker.explanations import page, service
from appeal_tracker.explanations.schemas import ExplanationView
from chassis.web.answer import language_of
from chassis.web.auth import Caller
from chassis.web.negotiation import wants
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/deadlines", tags=["deadlines"])

HTML = "text/html"
_PAGE = {"description": "the explanation, or with `Accept: text/html` the page", "content": {HTML: {"schema": {}}}}


@router.get("/{id}/explanation", response_model=ExplanationView, responses={200: _PAGE})
async def explain_deadline(
    id: Id,
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    request: Request,
    lang: Annotated[
        Literal["zh-CN", "en"] | None, Query(description="of the page; otherwise `Accept-Language` says it")
    ] = None,
) -> ExplanationView | Response:
    """Why a clock is due when it is, day by day, and all that moved it. With `Accept: text/html` a page for an audit,
    in Chinese or English, which needs nothing else: it can be kept as a file and printed."""
    explanation = await service.explain(tx, runtime, caller, id)
    if not wants(request, HTML):
        return ExplanationView.of(explanation)
    language = language_of(request.scope) if lang is None else "en" if lang == "en" else "zh"
    headers = {
        "Content-Security-Policy": f"{page.policy()}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Content-Language": "en" if language == "en" else "zh-CN",
        "Vary": "Accept, Accept-Language",
    }
    return Response(page.render(explanation, language), media_type=HTML, headers=headers)
