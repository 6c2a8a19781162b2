"""`/c/{token}`: the page on which a customer says what they think, without a login and without a script.

It bears no token of ours and nothing that says whose it is; whoever has the link may answer, once.
"""

import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appeal_tracker.callbacks import link_page, links
from chassis.runtime import Runtime
from chassis.web.answer import language_of
from chassis.web.body import BoundedRequest
from chassis.web.errors import Language

MOST = 4000  # characters of an opinion, as in a callback that somebody else records
_LARGEST = 64 * 1024  # bytes of a form
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_STATUS = {"unknown": 404, "expired": 410, "limited": 429}
_HEADERS = {
    "Content-Security-Policy": f"{link_page.policy()}; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}


async def show(request: Request) -> Response:
    """The page: a form, or that the link was used, expired, or never was."""
    runtime: Runtime = request.app.state.runtime
    token, address = request.path_params["token"], request.client.host if request.client else None
    async with runtime.db.request() as tx:
        state: str = (await links.find(tx, token, runtime.clock.now())).state
        if state == "unknown":
            state = await links.missed(tx, address)
    return _answer(request, state)


async def answer(original: Request) -> Response:
    """Takes in what the customer thinks; said again it is thanked for, and changes nothing."""
    runtime: Runtime = original.app.state.runtime
    request = BoundedRequest(original.scope, original.receive)
    request.limit = _LARGEST
    token, address = request.path_params["token"], request.client.host if request.client else None
    form = _form(await request.body())
    satisfaction = form.get("satisfaction", [""])[0]
    opinion = _CONTROLS.sub("", form.get("opinion", [""])[0].replace("\r\n", "\n")).strip()
    sound = satisfaction in {"1", "2", "3", "4", "5"} and len(opinion) <= MOST
    async with runtime.db.request() as tx:
        if sound:
            state: str = await links.use(tx, runtime, token, satisfaction, opinion or None)
        else:
            state = (await links.find(tx, token, runtime.clock.now())).state
        if state == "unknown":
            state = await links.missed(tx, address)
    if state == "open":
        return _answer(request, "used") if sound else _answer(request, "open", status=422, opinion=opinion)
    return _answer(request, state)


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except ValueError:  # more fields than the page has
        return {}


def _answer(request: Request, state: str, *, status: int = 200, opinion: str = "") -> Response:
    asked = request.query_params.get("lang")
    language: Language = language_of(request.scope)
    if asked in ("zh-CN", "en"):
        language = "en" if asked == "en" else "zh"
    page = link_page.render(state, language, opinion=opinion, again=status == 422)
    headers = {**_HEADERS, "Content-Language": "en" if language == "en" else "zh-CN"}
    headers |= {"Retry-After": str(int(links.WINDOW.total_seconds()))} if state == "limited" else {}
    return Response(page, _STATUS.get(state, status), headers, "text/html")


# Outside the token scheme, and so outside the routes that have a guard.
ROUTES = [
    Route("/c/{token}", show, methods=["GET"], include_in_schema=False),
    Route("/c/{token}", answer, methods=["POST"], include_in_schema=False),
]
