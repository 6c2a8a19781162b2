"""Which form of an answer a caller wants: JSON, unless `Accept` likes another that is offered better."""

from fastapi import Request

JSON = "application/json"


def wants(request: Request, media_type: str) -> bool:
    """Whether the caller likes `media_type` better than JSON; what is offered first stands where both are liked alike.

    `Accept: text/html,*/*;q=0.8`, as a browser says it, likes a page better; `*/*`, as a program says it, does not.
    """
    accept = request.headers.get("accept", "")
    return _liking(accept, media_type) > _liking(accept, JSON)


def _liking(accept: str, media_type: str) -> float:
    """The quality that the most specific range gives to a media type (RFC 9110, 12.5.1)."""
    kind = media_type.partition("/")[0]
    best = (-1, 0.0)
    for part in accept.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        precision = {media_type: 2, f"{kind}/*": 1, "*/*": 0}.get(name, -1)
        if precision > best[0]:
            best = precision, _quality(parameters)
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
