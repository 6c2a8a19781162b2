"""HEAD: answered as GET is, without the body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Pure ASGI, around the routes: they need not know of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        # A copy: the server goes by its own, and would wait for the body that a GET has.
        get = {**scope, "method": "GET"}

        async def without_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
            elif not message.get("more_body", False):
                await send({"type": "http.response.body"})

        try:
            await self.app(get, receive, without_body)
        finally:
            scope["route"] = get.get("route")  # for whoever counts requests
