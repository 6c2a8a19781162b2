"""Who may call: a route declares its roles by the dependency that gives it its caller.

    @router.post("/visits")
    async def plan_visit(caller: Annotated[Principal, Depends(require("visitor", "supervisor"))], …) -> …

The guard is the dependency object itself, so a test can walk the routes and read `.roles` of each.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from chassis.web.errors import Forbidden, Unauthorized
from chassis.web.tokens import Principal

ADMIN, AUDITOR, SERVICE = "admin", "auditor", "service"
ROLES = frozenset({"visitor", "handler", "callback", "supervisor", "integration", ADMIN, AUDITOR, SERVICE})
_READING = frozenset({"GET", "HEAD"})


class Guard(SecurityBase):
    """Gives the caller, after 401 for a token that proves nothing and 403 for roles that do not suffice.

    `admin` may do whatever any person may, `auditor` may read whatever any person may read; `service` may do only
    what names it, and what names it alone is for no person. `asks`: the route reads, whatever its method.
    """

    def __init__(self, roles: frozenset[str], *, asks: bool = False) -> None:
        if unknown := roles - ROLES:
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        self.roles, self.asks = roles or ROLES - {SERVICE}, asks
        people = {ADMIN, AUDITOR} if self.roles - {SERVICE} else set()
        self._readers = self.roles | people
        self._writers = self._readers - {AUDITOR}
        self.model = HTTPBearer(bearerFormat="JWT", description="A token of the OIDC issuer")
        self.scheme_name = "bearer"

    def admitted(self, method: str) -> frozenset[str]:
        """The roles that may call a route of this guard with `method`."""
        return self._readers if self.asks or method in _READING else self._writers

    async def __call__(self, request: Request) -> Principal:
        caller = await _authenticated(request)
        if not caller.roles & self.admitted(request.method):
            raise Forbidden
        return caller


def require(*roles: str) -> Guard:
    """A guard that admits any of `roles`; none named: every person, whatever the role."""
    return Guard(frozenset(roles))


Caller = Annotated[Principal, Depends(require())]
# Of a POST that stores nothing: what is asked is too long for a query.
Asker = Annotated[Principal, Depends(Guard(frozenset(), asks=True))]


def guards_of(dependant: Dependant) -> list[Guard]:
    """The guards among an endpoint's dependencies, however deep."""
    inner = [guard for dependency in dependant.dependencies for guard in guards_of(dependency)]
    return [dependant.call, *inner] if isinstance(dependant.call, Guard) else inner


async def _authenticated(request: Request) -> Principal:
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        known = request.state.principal = await request.app.state.tokens.principal(token.strip())
    return known
