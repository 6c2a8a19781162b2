"""What a provider bears, as data; and the count of what was sent lately, which all processes share: in the database, in
real time.

A window is counted in slots. Whatever lies in any window of its length lies in SLOTS + 1 slots that follow each other,
and of none of these is more given than is borne: so it is never more in any window, however what is sent arrives.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many sends in so many seconds, of an account, of each recipient of it, or of each recipient and template."""

    times: int
    seconds: int
    per: Literal["account", "recipient", "template"]


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one provider bears; `bytes` of a text in UTF-8."""

    bytes: int
    limits: tuple[Limit, ...]


SLOTS = 20  # of a window: what was sent in a burst is sent again a twentieth of the window later than it might be
LAG = 10.0  # seconds between what is given and the last moment at which that may reach the provider (a sender's lease)
SHORT = 30  # seconds of a window that is not made longer by that: a request too many in a second is refused, no more


class Want(msgspec.Struct, frozen=True):
    """A count, by name, of `times` in `seconds`; and how many are wanted."""

    name: str
    times: int
    seconds: int
    wanted: int = 1

    @property
    def width(self) -> float:
        """Seconds of a slot."""
        return (self.seconds + (LAG if self.seconds > SHORT else 0.0)) / SLOTS


class Sent(msgspec.Struct, frozen=True):
    """How many were sent in `slot`, and in those before it; the last is that of `slot`."""

    slot: int = 0
    counts: tuple[int, ...] = ()


class Given(msgspec.Struct, frozen=True):
    """How many were given, and in how many seconds there are more."""

    count: int
    wait: float = 0.0


# What is there already is locked, too; the time is that after the lock was had.
_LOOK = text("""
INSERT INTO buckets AS its (name, tokens, filled_at)
SELECT name, 0, clock_timestamp() FROM unnest(CAST(:names AS text[])) AS name ORDER BY name
ON CONFLICT (name) DO UPDATE SET filled_at = clock_timestamp()
RETURNING name, slot, counts, extract(epoch FROM clock_timestamp())::float AS at
""")
# A release before this one takes of `tokens`: while both run, it is given what comes anew, and no more.
_TAKE = text("""
UPDATE buckets b SET slot = t.slot, counts = CAST(t.counts AS integer[]), tokens = 0,
    empty_at = clock_timestamp() + make_interval(secs => t.seconds)
FROM unnest(CAST(:names AS text[]), CAST(:slots AS bigint[]), CAST(:counts AS text[]), CAST(:seconds AS float[]))
    AS t (name, slot, counts, seconds) WHERE b.name = t.name
""")
_PURGE = text("""
DELETE FROM buckets WHERE name IN (
    SELECT name FROM buckets WHERE empty_at < now() ORDER BY empty_at LIMIT :limit FOR UPDATE SKIP LOCKED)
""")


@cache
def shipped() -> Mapping[str, Bounds]:
    """What is shipped, by provider."""
    import yaml

    document = files("notifier.channels").joinpath("data", "limits.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(document), dict[str, Bounds])


def give(want: Want, sent: Sent, at: float) -> tuple[Given, Sent]:
    """What is given at an instant (in seconds), and what was sent then. Pure."""
    slot = max(int(at // want.width), sent.slot)  # a clock that went back gives nothing
    passed = min(slot - sent.slot, SLOTS + 1)
    counts = (*(0,) * (SLOTS + 1), *sent.counts, *(0,) * passed)[-SLOTS - 1 :]
    count = max(0, min(want.wanted, want.times - sum(counts)))
    counts = (*counts[:-1], counts[-1] + count)
    if sum(counts) < want.times:
        return Given(count), Sent(slot, counts)
    oldest = next(place for place, its in enumerate(counts) if its)  # in so many slots there is room again
    return Given(count, max(0.0, (slot + oldest + 1) * want.width - at)), Sent(slot, counts)


async def take(tx: AsyncSession, wants: Sequence[Want]) -> dict[str, Given]:
    """Counts what is given, as much as is borne; nobody else is given of these until the transaction ends."""
    if not wants:
        return {}
    by_name = {want.name: want for want in wants}
    given: dict[str, Given] = {}
    kept: list[tuple[str, int, str, float]] = []
    for row in await tx.execute(_LOOK, {"names": list(by_name)}):
        want = by_name[row.name]
        given[row.name], sent = give(want, Sent(row.slot, tuple(row.counts)), row.at)
        counts = "{" + ",".join(map(str, sent.counts)) + "}"  # lists of lists are no arrays of arrays
        kept.append((row.name, sent.slot, counts, want.width * (SLOTS + 1)))
    await tx.execute(
        _TAKE, dict(zip(("names", "slots", "counts", "seconds"), map(list, zip(*kept, strict=True)), strict=True))
    )
    return given


async def purge(tx: AsyncSession, limit: int) -> None:
    """Forgets counts in which there is nothing any more."""
    await tx.execute(_PURGE, {"limit": limit})
