"""When a policy material may be publicised (T/SDPEA §7.2.2): published, not ended, within its days."""

from datetime import date, datetime
from typing import Protocol

from visit_api.civil import day_of


class Edition(Protocol):
    """What of a material its validity follows from; `valid_to` is its last civil day."""

    valid_from: date
    valid_to: date | None
    published_at: datetime | None
    withdrawn_at: datetime | None
    replaced_at: datetime | None


def in_force(edition: Edition, at: datetime) -> bool:
    """Whether it could be publicised at `at`: judged by when it was done, not by when that was recorded."""
    if edition.published_at is None or at < edition.published_at:
        return False
    ended = any(end is not None and at >= end for end in (edition.withdrawn_at, edition.replaced_at))
    day = day_of(at)
    return not ended and edition.valid_from <= day and (edition.valid_to is None or day <= edition.valid_to)
