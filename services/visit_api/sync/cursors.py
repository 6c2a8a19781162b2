"""How far a device's copy has come. Pure.

A copy is brought up to date window by window: everything that was written by transactions from `since` on and before
`upto`, which no running transaction can still add to. Within a window it goes section by section, by (transaction, id).
"""

import base64
import binascii
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

KEPT_FOR = timedelta(days=60)  # a copy that was not brought up to date for longer starts again
RENEWED_AFTER = timedelta(days=1)  # so that one that has nothing new does not grow old
_FORM = 1
NOTHING = UUID(int=0)  # before every id


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Whose copy it is, with which edition of the standard, and how far it has come; `upto` is 0 between windows.
    `moves`: the last move of a unit that it saw, null in a cursor of before they were numbered."""

    form: int
    whose: str
    given_at: datetime
    standard: str
    since: int
    upto: int = 0
    section: int = 0
    xid: int = 0
    id: UUID = NOTHING
    moves: int | None = None

    def is_good_for(self, whose: str, now: datetime, newest: int, moves: int) -> bool:
        """Whether the copy can be brought up to date from here: not another's, not too old, not of a history that the
        database has been turned back from, and not from before a unit moved: what is seen from where is another thing
        since, and no row that did not change would tell."""
        fresh = timedelta(days=-1) <= now - self.given_at <= KEPT_FOR
        its = (self.form, self.whose) == (_FORM, whose) and fresh and max(self.since, self.upto) <= newest
        return its and self.moves in (None, moves)


def first(whose: str, now: datetime, upto: int, moves: int) -> Cursor:
    """Where a copy begins that has nothing yet."""
    return Cursor(_FORM, whose, now, "", 0, upto, moves=moves)


def encode(cursor: Cursor) -> str:
    """The cursor as it travels."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode(text: str) -> Cursor:
    """The cursor that travelled. Raises `ValueError`."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, RecursionError) as error:
        raise ValueError("no cursor") from error
    numbers = (cursor.since, cursor.upto, cursor.section, cursor.xid, cursor.moves or 0)
    if cursor.given_at.tzinfo is None or not all(0 <= number < 2**63 for number in numbers):
        raise ValueError("no cursor")
    return cursor
