"""Lists: keyset cursors, and feeds of what changed that skip nothing.

A list ends with `next: null`. A feed, asked for by `updated_since`, always gives a `next`, so that a client goes on
from it for ever. It is ordered by the transaction that last wrote a row, and stops before the oldest one still running:
a late commit appears later, not never. A client that goes on by cursor misses nothing; one that comes again with a time
of its own should overlap.

`Paging` gives 50 items where nothing is said; `WholePaging`, for short lists about one thing, gives all.
`PlacePaging` is for what is counted at the moment it is asked: it can be gone through, and not be followed.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, get_args

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import ColumnElement, Select, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.schemas import Instant, QueryInstant

Row = TypeVar("Row")
Shown = TypeVar("Shown")

MOST = 200
_AT_ONCE = 100  # rows: whoever wants one of them does not have each that is hidden looked for by itself
_OLDEST_RUNNING: ColumnElement[int] = literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)")
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_NO_CURSOR = FieldError("/cursor", "cursor", Words("游标无效", "Not a cursor this list has given"), "query")


class Page(BaseModel, Generic[Shown]):
    """A response model: some items, and the cursor of those after them."""

    items: list[Shown]
    next: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`UnitViewPage`; a page of several kinds is called by the first."""
        (shown,) = params
        while not isinstance(shown, type):
            shown = get_args(shown)[0]
        return f"{shown.__name__}Page"


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What a repository gives for a `Page`: rows, not yet shown."""

    items: Sequence[Row]
    next: str | None


class Way(NamedTuple):
    """One way in which the rows of a feed change, as a query finds them so: by the transaction that did it, with the id
    of the row, and when; the two are its index."""

    query: Select[Any]
    xid: Any
    id: Any
    at: Any


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """`every`: by whoever gave it all ways were followed. Older code knows of the first alone, and passes this by."""

    kind: Literal["list", "feed", "since"]
    position: tuple[Any, ...]
    every: bool = False


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for."""

    limit: int | None = 50
    since: datetime | None = None
    after: _Cursor | None = None

    @property
    def is_feed(self) -> bool:
        """Whether changes are followed: then what is gone is shown as gone."""
        return self.since is not None or (self.after is not None and self.after.kind == "feed")

    async def fetch(self, tx: AsyncSession, query: Select[Any], entity: type[Row], *key: Any) -> Listing[Row]:
        """The rows of `query` in this window. A list is ordered by `key` (unique, not null; the id where none is
        given); a feed wants `entity` to be `Tracked`, with an index on (changed_xid, id)."""
        model: Any = entity
        if self.is_feed:
            return await self.follow(tx, Way(query, model.changed_xid, model.id, model.updated_at))
        columns = key or (model.id,)
        query = self.ordered(query, *columns)
        rows = (await tx.scalars(query.limit(None if self.limit is None else self.limit + 1))).all()
        shown = rows[: self.limit]
        last = [getattr(shown[-1], column.key) for column in columns] if shown else []
        return Listing(shown, _encode("list", last) if len(rows) > len(shown) else None)

    async def follow(self, tx: AsyncSession, *ways: Way) -> Listing[Any]:
        """What changed next, in whichever of the ways; in each the query finds what changed so last."""
        found, several = [], len(ways) > 1
        # Several stop at one transaction, asked for first: none gives what lies beyond what another has seen.
        until: Any = await tx.scalar(select(_OLDEST_RUNNING)) if several else _OLDEST_RUNNING
        place = None
        if self.after is not None:
            place = self._position((ways[0].xid, ways[0].id))
            place = place if self.after.every else await _rewound(tx, place, ways[1:])
        for way in ways:
            query = way.query.add_columns(way.xid, way.id).where(way.xid < until)
            if place is not None:
                query = query.where(tuple_(way.xid, way.id) > tuple_(*place))
            elif self.since is not None:
                query = query.where(way.at >= self.since)
            found.append((await tx.execute(query.order_by(way.xid, way.id).limit(self.limit))).all())
        rows = [*merge(*found, key=lambda row: row[1:])][: self.limit]
        if (last := rows[-1][1:] if rows else place) is None:
            return Listing([], self._again())
        return Listing([row[0] for row in rows], _encode("feed", last, *([several] if several else ())))

    async def sift(
        self,
        tx: AsyncSession,
        query: Select[Any],
        entity: type[Row],
        known: Callable[[Sequence[Row]], Awaitable[Sequence[Shown | None]]],
        *,
        most: int,
    ) -> Listing[Shown]:
        """The rows of `query` in this window, by id, each as `known` gives it; where that is None, `next` does not tell
        that there is one either: it goes on after the last one shown. Only where `most` rows were looked at in vain, or
        a few more, it goes on after these."""
        limit = MOST if self.limit is None else self.limit
        window, looked, ended, page = replace(self, limit=limit + 1), 0, False, Listing[Row]((), None)
        more = max(limit + 1, _AT_ONCE)
        found = list[tuple[Row, Shown]]()
        while len(found) <= limit and looked < most and not ended:
            page = await window.fetch(tx, query, entity)
            shown = await known(page.items)
            found += [(row, its) for row, its in zip(page.items, shown, strict=True) if its is not None]
            looked += len(page.items)
            ended = page.next is None or len(page.items) < (window.limit or 0)
            window = window if page.next is None else replace(window.at(page.next), limit=more)
        following = page.next
        if len(found) > limit or (ended and found and self.is_feed):
            following = self._after(found[:limit][-1][0])
        elif ended:
            following = self._again() if self.is_feed else None
        return Listing([its for _, its in found[:limit]], following)

    def ordered(self, query: Select[*tuple[Any, ...]], *key: Any) -> Select[*tuple[Any, ...]]:
        """The rows of `query` from where a list goes on, by `key`: for whoever reads until they have enough."""
        if self.after is not None:
            query = query.where(tuple_(*key) > tuple_(*self._position(key)))
        return query.order_by(*key)

    def at(self, following: str) -> "Window":
        """The same window where the page before said that it goes on."""
        return Window(self.limit, None, _decode(following))

    def after_key(self, *key: object) -> str:
        """Where a list goes on after a row of that key: for whoever reads some and shows only a part."""
        return _encode("list", key)

    def place(self, *kinds: type) -> tuple[Any, ...] | None:
        """The key after which a list goes on that no table holds as it is shown; None at its beginning."""
        if self.after is None:
            return None
        position = self.after.position
        if len(position) != len(kinds) or not all(map(isinstance, position, kinds)):
            raise Unprocessable(_NO_CURSOR)
        return position

    def of(self, rows: Sequence[Row], key: Callable[[Row], str]) -> Listing[Row]:
        """This window of `rows` that are shipped with the service, ordered by `key`. They bear no time of change: who
        follows them is given all of them, each time."""
        if self.is_feed:
            return Listing(rows, self._again())
        after = "" if self.after is None else self._text()
        left = [row for row in sorted(rows, key=key) if key(row) > after]
        shown = left[: self.limit]
        return Listing(shown, _encode("list", [key(shown[-1])]) if len(left) > len(shown) else None)

    def _text(self) -> str:
        assert self.after is not None
        match self.after.position:
            case (str(text),):
                return text
        raise Unprocessable(_NO_CURSOR)

    def _after(self, row: Any) -> str:
        return _encode("feed", (row.changed_xid, row.id)) if self.is_feed else _encode("list", (row.id,))

    def _again(self) -> str:
        if self.after is not None:
            return _encode(self.after.kind, self.after.position)
        return _encode("since", [self.since])

    def _position(self, columns: Sequence[Any]) -> list[Any]:
        assert self.after is not None
        if len(self.after.position) != len(columns):
            raise Unprocessable(_NO_CURSOR)
        try:
            return [
                _value(value, column.type.python_type)
                for value, column in zip(self.after.position, columns, strict=True)
            ]
        except ValueError as error:
            raise Unprocessable(_NO_CURSOR) from error


async def _rewound(tx: AsyncSession, place: list[Any], ways: Sequence[Way]) -> list[Any]:
    """From where to go on after a place that older code gave, which may have passed what changed in these ways."""
    for way in ways:
        first = await tx.scalar(select(func.min(way.xid)))
        place = place if first is None else min(place, [first - 1, place[1]])
    return place


def _encode(kind: str, position: Sequence[Any], *every: bool) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((kind, position, *every))).rstrip(b"=").decode()


def _decode(text: str) -> _Cursor:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=_Cursor)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise Unprocessable(_NO_CURSOR) from error
    if any(isinstance(value, int) and not 0 <= value < 2**63 for value in cursor.position) or b"\\u0000" in raw:
        raise Unprocessable(_NO_CURSOR)
    return cursor


def _value(raw: Any, kind: type) -> Any:
    return _INSTANT.validate_python(raw) if kind is datetime else msgspec.convert(raw, kind, strict=True)


_Cursored = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
_Since = Annotated[QueryInstant | None, Query(description="a feed of what changed from then on")]


async def _window(
    limit: Annotated[int, Query(ge=1, le=MOST, description="items at most")] = 50,
    cursor: _Cursored = None,
    updated_since: _Since = None,
) -> Window:
    return _read(limit, cursor, updated_since)


async def _whole(
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="items at most; all where nothing is said")] = None,
    cursor: _Cursored = None,
    updated_since: _Since = None,
) -> Window:
    return _read(limit, cursor, updated_since)


async def _place(
    limit: Annotated[int, Query(ge=1, le=MOST, description="items at most")] = 50, cursor: _Cursored = None
) -> Window:
    return _read(limit, cursor, None)


def _read(limit: int | None, cursor: str | None, updated_since: datetime | None) -> Window:
    after = None if cursor is None else _decode(cursor)
    if after is None:
        return Window(limit, updated_since)
    if after.kind == "since":
        try:
            return Window(limit, _value(after.position[0], datetime))
        except (ValueError, IndexError) as error:
            raise Unprocessable(_NO_CURSOR) from error
    if after.kind == "list" and updated_since is not None:
        raise Unprocessable(_NO_CURSOR)
    return Window(limit, None, after)


Paging = Annotated[Window, Depends(_window)]
WholePaging = Annotated[Window, Depends(_whole)]
PlacePaging = Annotated[Window, Depends(_place)]
