"""Lists of appeals for a handler's screen: filtered, searched by words, page after page, and as a table.

Words are found through keyed hashes of each two characters; candidates are opened and looked at, so that a page shows
none that only has the same pairs. Hidden appeals are not found by words: to find what was said would be to read it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import lists, showing
from appeal_tracker.appeals.faults import SourceNotSaid
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.words import service as words
from chassis.runtime import Runtime
from chassis.web.paging import MOST, Gone, Listing, Window
from chassis.web.tokens import Principal

# Candidates that one answer looks at: a page may be shorter than was asked for, and has a `next` all the same.
LOOKED_AT = 2000
FIRST = 2  # as many pages of them are fetched at first
LONGEST_TABLE = 100_000  # rows


async def listing(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, wanted: Wanted
) -> Listing[Any]:
    """The appeals that `caller` may see and wants, with their clocks. Raises `SourceNotSaid`."""
    if wanted.source_no is not None and wanted.source is None:
        raise SourceNotSaid
    query = await lists.listed(tx, caller.unit, wanted)
    if window.is_feed:
        news = await lists.news(tx, window.of_unit(wanted.unit), query, await lists.gone(tx, caller.unit, wanted))
        page: Listing[Any] = await _truly(tx, runtime, news, wanted.words)
    elif wanted.words is None:
        page = await lists.page(tx, window, query)
    else:
        page = await _saying(tx, runtime, window, query, wanted.words)
    return Listing(await showing.appeals(tx, caller, page.items), page.next)


async def _truly(tx: AsyncSession, runtime: Runtime, page: Listing[Any], text: str | None) -> Listing[Any]:
    """Of a page of news that in whose words each one of `text` truly stands, and what is gone."""
    if text is None:
        return page
    said = [each.id for each in page.items if not isinstance(each, Gone) and not each.hidden]
    truly = await words.saying(tx, runtime, said, text)
    return Listing([each for each in page.items if isinstance(each, Gone) or each.id in truly], page.next)


async def _saying(
    tx: AsyncSession, runtime: Runtime, window: Window, query: Select[Appeal], text: str
) -> Listing[Appeal]:
    """A page of those in whose words each one of `text` truly stands, by id."""
    found, last = await _found(tx, runtime, window, query, text)
    return Listing(await lists.shown(tx, found), None if last is None else window.after_key(last))


async def _found(
    tx: AsyncSession, runtime: Runtime, window: Window, query: Select[Appeal], text: str
) -> tuple[list[UUID], UUID | None]:
    """As many as there is room for; and after which one to go on, where there may be more."""
    limit, found, seen, last = window.limit or MOST, list[UUID](), 0, None
    about, reader = partial(lists.about, query), words.Reader(tx, runtime, text)
    looking = words.candidates(tx, runtime, window, text, about, first=FIRST * limit, most=LOOKED_AT + 1)
    async with aclosing(looking):
        async for some in looking:
            for its, summary in some:
                if seen == LOOKED_AT or (len(found) == limit and summary is not None):
                    return found, last
                if summary is not None and await reader.says(its, summary):
                    found.append(its)
                seen, last = seen + 1, its
    return found, None


async def table(runtime: Runtime, caller: Principal, wanted: Wanted) -> AsyncIterator[Sequence[Any]]:
    """All of them, part by part, each in a transaction of its own that ended before it is sent; so many and no more."""
    window, rows = Window(MOST), 0
    while rows < LONGEST_TABLE:
        async with runtime.db.request() as tx:
            page = await listing(tx, runtime, caller, window, wanted)
        yield page.items
        rows += len(page.items)
        if page.next is None:
            return
        window = window.at(page.next)
