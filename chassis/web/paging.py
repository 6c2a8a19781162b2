"""Lists: keyset cursors, and feeds of what changed that skip nothing.

A list ends with `next: null`. A feed, asked for by `updated_since`, always gives a `next`, so that a client goes on
from it for ever. It is ordered by the transaction that last wrote a row, and stops before the oldest one still running:
a late commit appears later, not never. A client that goes on by cursor misses nothing; one that comes again with a time
of its own should overlap. What goes where its reader does not see it is told as gone; where a unit with all that is of
it came into sight, or went out of it, no row tells: the cursor has expired (410), and the copy begins again.

`Paging` gives 50 items where nothing is said; `WholePaging`, for short lists about one thing, gives all. By the latter,
and by `CommonPaging`, what no unit bounds is followed: there it tells nothing which units are in sight.
`PlacePaging` is for what is counted at the moment it is asked: it can be gone through, and not be followed.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from heapq import merge
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_args
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Discriminator, Tag
from sqlalchemy import ColumnElement, Select, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import scope
from chassis.web import cursors
from chassis.web.errors import FeedExpired, Unprocessable
from chassis.web.schemas import Instant, QueryInstant, View

Row = TypeVar("Row")
Shown = TypeVar("Shown")
Sight = Callable[..., Awaitable[str]]

MOST = 200
_AT_ONCE = 100  # rows: whoever wants one of them does not have each that is hidden looked for by itself
_OLDEST_RUNNING: ColumnElement[int] = literal_column("(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)")


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


class Gone(View):
    """What a feed says of a thing that went where its reader does not see it; what is kept with that goes with it."""

    id: UUID
    gone_at: Instant


# What a feed shows of things that may go.
OrGone = Annotated[
    Annotated[Shown, Tag("there")] | Annotated[Gone, Tag("gone")],
    Discriminator(lambda row: "gone" if isinstance(row, Gone) else "there"),
]


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What a repository gives for a `Page`: rows, not yet shown."""

    items: Sequence[Row]
    next: str | None


class Way(NamedTuple):
    """One way in which the rows of a feed change, as a query finds them so: by the transaction that did it, with the id
    of the row, and when; the two are its index. `gone`: what it finds is out of the reader's sight, and told as that.
    """

    query: Select[Any]
    xid: Any
    id: Any
    at: Any
    gone: bool = False

    def behind(self, place: Sequence[Any]) -> Select[Any]:
        """What changed so after a place. The transaction and the id may be of two tables, and no index is of both: one
        finds by the transaction alone what is new."""
        return self.query.where(self.xid >= place[0], tuple_(self.xid, self.id) > tuple_(*place))


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for. `sight` tells what whoever asks sees of what they `asked` for, `seen` is what
    they saw when they were given the cursor; one who sees all has neither."""

    limit: int | None = 50
    since: datetime | None = None
    after: cursors.Cursor | None = None
    sight: Sight | None = None
    seen: str | None = None
    asked: str | None = None

    def of_unit(self, code: str | None) -> "Window":
        """The same window, where the list is asked for what is of a unit, or of one below it."""
        return replace(self, asked=code)

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
        return Listing(shown, cursors.encode("list", last) if len(rows) > len(shown) else None)

    async def follow(self, tx: AsyncSession, *ways: Way) -> Listing[Any]:
        """What changed next, in whichever of the ways; in each the query finds what changed so last. Raises
        `FeedExpired`."""
        found, several = [], len(ways) > 1
        sight = await self._seen(tx)  # before the rows: what moves meanwhile, the next one finds
        # Several stop at one transaction, asked for first: none gives what lies beyond what another has seen.
        until: Any = await tx.scalar(select(_OLDEST_RUNNING)) if several else _OLDEST_RUNNING
        place = None
        if self.after is not None:
            place = self.after.place((ways[0].xid, ways[0].id))
            place = await _rewound(tx, place, self._not_followed(ways))
        for way in ways:
            query = (way.query if place is None else way.behind(place)).add_columns(way.xid, way.id, way.at)
            query = query.where(way.xid < until)
            if place is None and self.since is not None:
                query = query.where(way.at >= self.since)
            rows = (await tx.execute(query.order_by(way.xid, way.id).limit(self.limit))).all()
            found.append([(Gone(id=its, gone_at=at) if way.gone else row, xid, its) for row, xid, its, at in rows])
        next_ones = [*merge(*found, key=lambda row: row[1:])][: self.limit]
        if (last := next_ones[-1][1:] if next_ones else place) is None:
            return Listing([], self._again(sight))
        return Listing([row[0] for row in next_ones], cursors.encode("feed", last, several, sight))

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
        sight = await self._seen(tx) if self.is_feed else None
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
            following = self._after(found[:limit][-1][0], sight)
        elif ended:
            following = self._again(sight) if self.is_feed else None
        return Listing([its for _, its in found[:limit]], following)

    def ordered(self, query: Select[*tuple[Any, ...]], *key: Any) -> Select[*tuple[Any, ...]]:
        """The rows of `query` from where a list goes on, by `key`: for whoever reads until they have enough."""
        if self.after is not None:
            query = query.where(tuple_(*key) > tuple_(*self.after.place(key)))
        return query.order_by(*key)

    def at(self, following: str) -> "Window":
        """The same window where the page before said that it goes on."""
        after = cursors.decode(following)
        return replace(self, since=None, after=after, seen=after.sight)

    def after_key(self, *key: object) -> str:
        """Where a list goes on after a row of that key: for whoever reads some and shows only a part."""
        return cursors.encode("list", key)

    def place(self, *kinds: type) -> tuple[Any, ...] | None:
        """The key after which a list goes on that no table holds as it is shown; None at its beginning."""
        if self.after is None:
            return None
        position = self.after.position
        if len(position) != len(kinds) or not all(map(isinstance, position, kinds)):
            raise Unprocessable(cursors.NO_CURSOR)
        return position

    def of(self, rows: Sequence[Row], key: Callable[[Row], str]) -> Listing[Row]:
        """This window of `rows` that are shipped with the service, ordered by `key`. They bear no time of change: who
        follows them is given all of them, each time."""
        if self.is_feed:
            return Listing(rows, self._again(None))
        after = "" if self.after is None else self._text()
        left = [row for row in sorted(rows, key=key) if key(row) > after]
        shown = left[: self.limit]
        return Listing(shown, cursors.encode("list", [key(shown[-1])]) if len(left) > len(shown) else None)

    def _text(self) -> str:
        assert self.after is not None
        match self.after.position:
            case (str(text),):
                return text
        raise Unprocessable(cursors.NO_CURSOR)

    def _after(self, row: Any, sight: str | None) -> str:
        its = (row.changed_xid, row.id)
        return cursors.encode("feed", its, False, sight) if self.is_feed else cursors.encode("list", (row.id,))

    def _again(self, sight: str | None) -> str:
        if self.after is not None:
            return cursors.encode(self.after.kind, self.after.position, self.after.every, sight)
        return cursors.encode("since", [self.since], False, sight)

    async def _seen(self, tx: AsyncSession) -> str | None:
        """What is seen now. Raises `FeedExpired` where the cursor was given while that was other units."""
        sight = None if self.sight is None else await self.sight(tx, asked=self.asked)
        if self.seen not in (None, sight):
            raise FeedExpired
        return sight

    def _not_followed(self, ways: Sequence[Way]) -> list[Way]:
        """Those of the ways that whoever gave the cursor did not follow: older code, that is."""
        assert self.after is not None
        if self.seen is not None or self.sight is None:
            return [] if self.after.every else [*ways[1:]]
        return [way for way in ways[1:] if way.gone or not self.after.every]


async def _rewound(tx: AsyncSession, place: list[Any], ways: Sequence[Way]) -> list[Any]:
    """From where to go on after a place that older code gave, which may have passed what changed in these ways."""
    for way in ways:
        first = await tx.scalar(select(func.min(way.xid)))
        place = place if first is None else min(place, [first - 1, place[1]])
    return place


_Cursored = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
_Since = Annotated[
    QueryInstant | None,
    Query(
        description="a feed of what changed from then on, to keep a copy by: go on by `next`, and begin again where "
        "that is answered 410. What does not fit any more what else is asked for is not told: ask for all"
    ),
]


_Most = Annotated[int, Query(ge=1, le=MOST, description="items at most")]


async def _common(limit: _Most = 50, cursor: _Cursored = None, updated_since: _Since = None) -> Window:
    return _read(limit, cursor, updated_since)


async def _window(request: Request, window: Annotated[Window, Depends(_common)]) -> Window:
    units, unit = request.app.state.units, request.state.principal.unit  # whom the guard let in
    if units is None or unit is None:
        return window
    return replace(window, sight=partial(scope.sight, units=units, unit=unit))


async def _whole(
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="items at most; all where nothing is said")] = None,
    cursor: _Cursored = None,
    updated_since: _Since = None,
) -> Window:
    return _read(limit, cursor, updated_since)


async def _place(limit: _Most = 50, cursor: _Cursored = None) -> Window:
    return _read(limit, cursor, None)


def _read(limit: int | None, cursor: str | None, updated_since: datetime | None) -> Window:
    after = None if cursor is None else cursors.decode(cursor)
    if after is None:
        return Window(limit, updated_since)
    if after.kind == "since":
        try:
            return Window(limit, cursors.value(after.position[0], datetime), seen=after.sight)
        except (ValueError, IndexError) as error:
            raise Unprocessable(cursors.NO_CURSOR) from error
    if after.kind == "list" and updated_since is not None:
        raise Unprocessable(cursors.NO_CURSOR)
    return Window(limit, None, after, seen=after.sight)


Paging = Annotated[Window, Depends(_window)]
CommonPaging = Annotated[Window, Depends(_common)]
WholePaging = Annotated[Window, Depends(_whole)]
PlacePaging = Annotated[Window, Depends(_place)]
