"""What a provider bears, as data; and the buckets of tokens that all processes share: in the database, in real time."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many sends in so many seconds, of an account or of each recipient (and template) of it."""

    times: int
    seconds: int
    per: Literal["account", "recipient"]


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one provider bears; `bytes` of a text in UTF-8."""

    bytes: int
    limits: tuple[Limit, ...]


class Want(msgspec.Struct, frozen=True):
    """A bucket, by name, of `times` tokens that is full again after `seconds`; and how many are wanted."""

    name: str
    times: int
    seconds: int
    wanted: int = 1


class Given(msgspec.Struct, frozen=True):
    """How many were given, and in how many seconds there is one more."""

    count: int
    wait: float


_MAKE = text("""
INSERT INTO buckets (name, tokens, filled_at)
SELECT name, times, clock_timestamp() FROM unnest(CAST(:names AS text[]), CAST(:times AS integer[])) AS t (name, times)
ORDER BY name ON CONFLICT DO NOTHING
""")
_LOOK = text("""
SELECT name, tokens, extract(epoch FROM clock_timestamp() - filled_at)::float AS passed FROM buckets
WHERE name = ANY (CAST(:names AS text[])) ORDER BY name FOR UPDATE
""")
_TAKE = text("""
UPDATE buckets b SET tokens = t.tokens, filled_at = clock_timestamp()
FROM unnest(CAST(:names AS text[]), CAST(:tokens AS float[])) AS t (name, tokens) WHERE b.name = t.name
""")


@cache
def shipped() -> Mapping[str, Bounds]:
    """What is shipped, by provider."""
    import yaml

    document = files("notifier.channels").joinpath("data", "limits.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(document), dict[str, Bounds])


def refilled(want: Want, tokens: float, passed: float) -> float:
    """The tokens in a bucket that had `tokens` so many seconds ago. Pure."""
    return min(float(want.times), tokens + max(0.0, passed) * want.times / want.seconds)


def give(want: Want, tokens: float) -> Given:
    """What a bucket with `tokens` gives. Pure."""
    count = min(want.wanted, int(tokens))
    missing = max(0.0, 1 - (tokens - count))
    return Given(count, missing * want.seconds / want.times)


async def take(tx: AsyncSession, wants: Sequence[Want]) -> dict[str, Given]:
    """Takes tokens, as many as there are; nobody else takes of these buckets until the transaction ends."""
    if not wants:
        return {}
    by_name = {want.name: want for want in wants}
    names = {"names": list(by_name)}
    await tx.execute(_MAKE, names | {"times": [want.times for want in by_name.values()]})
    found: list[Any] = list(await tx.execute(_LOOK, names))
    left = {row.name: refilled(by_name[row.name], row.tokens, row.passed) for row in found}
    given = {name: give(by_name[name], tokens) for name, tokens in left.items()}
    tokens = [left[name] - its.count for name, its in given.items()]
    await tx.execute(_TAKE, {"names": list(given), "tokens": tokens})
    return given
