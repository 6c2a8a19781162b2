"""Lists of appeals for a handler's screen: filtered, searched by words, page after page, and as a table.

Words are found through keyed hashes of each two characters; candidates are opened and looked at, so that a page shows
none that only has the same pairs. What was said in confidence is not found by words: to find it would be to read it.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import lists, showing
from appeal_tracker.appeals.lists import Wanted
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.words import service as words
from chassis.runtime import Runtime
from chassis.web.paging import MOST, Listing, Window
from chassis.web.tokens import Principal

# Candidates that one answer looks at: a page may be shorter than was asked for, and has a `next` all the same.
LOOKED_AT = 1000
LONGEST_TABLE = 100_000  # rows


async def listing(
    tx: AsyncSession, runtime: Runtime, caller: Principal, window: Window, wanted: Wanted
) -> Listing[Any]:
    """The appeals that `caller` may see and wants, with their clocks."""
    query = await lists.listed(tx, caller.unit, wanted)
    if wanted.words is None:
        page = await window.fetch(tx, query, Appeal)
    else:
        query = lists.saying(query, await words.pairs(tx, runtime, wanted.words))
        page = await _looked_at(tx, runtime, window, query, wanted.words)
    return Listing(await showing.appeals(tx, caller, page.items), page.next)


async def _looked_at(tx: AsyncSession, runtime: Runtime, window: Window, query: Any, text: str) -> Listing[Appeal]:
    """A page of those in whose words `text` truly stands."""
    limit = window.limit or MOST
    page = await window.fetch(tx, query, Appeal)
    found: list[Appeal] = []
    seen = 0
    while True:
        seen += len(page.items)
        truly = await words.saying(tx, runtime, [each.id for each in page.items], text)
        for place, each in enumerate(page.items):
            if each.id in truly:
                found.append(each)
            if len(found) == limit and place + 1 < len(page.items):
                return Listing(found, window.after_row(each))
        if page.next is None or window.is_feed or len(found) == limit or seen >= LOOKED_AT:
            return Listing(found, page.next)
        window = window.at(page.next)
        page = await window.fetch(tx, query, Appeal)


async def table(runtime: Runtime, caller: Principal, wanted: Wanted) -> AsyncIterator[Sequence[Any]]:
    """All of them, part by part, each read in a transaction of its own; so many and no more."""
    window, rows = Window(MOST), 0
    while rows < LONGEST_TABLE:
        async with runtime.db.transaction() as tx:
            page = await listing(tx, runtime, caller, window, wanted)
        yield page.items
        rows += len(page.items)
        if page.next is None:
            return
        window = window.at(page.next)
