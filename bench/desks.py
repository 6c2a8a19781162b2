"""A million appeals of a company with forty units, nearly all of them closed, as a handler's screen lists them."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from appeal_tracker.words.service import FIELD
from bench.events import UNIT
from chassis.runtime import Runtime
from chassis.vault import Place

PEOPLE, BELOW = 400, 40
OPEN_SHARE = 20  # of every so many appeals one is open
TEXTS = [
    f"{place:02}号线路{what}，请{wish}。"
    for place in range(50)
    for what, wish in (
        ("连续停电", "尽快抢修"),
        ("电压偏低", "现场测量"),
        ("电表走字快", "校验电表"),
        ("电费有疑问", "逐项说明"),
    )
]
RARE, COMMON = 17, 0  # the texts that are searched for: one two-hundredth of all; and what a quarter of them say

_UNITS = """
INSERT INTO units (id, code, parent_code, version)
SELECT gen_random_uuid(), $1 || lpad(n::text, 2, '0'), $1, 1 FROM generate_series(1, $2::integer) AS n
"""
# Who has what, and how it stands, has nothing to do with each other, nor with the order they came in.
_APPEALS = """
INSERT INTO appeals (id, appeal_no, visit_id, unit_code, handling_unit_code, first_contact, type, state, round,
                     received_at, recorded_at, confidential, anonymous, policy, updated_at, closed_at, outcome)
SELECT ('a' || lpad(to_hex(n), 31, '0'))::uuid, 'VA' || lpad(n::text, 10, '0'), NULL, unit, unit, person, type,
       CASE WHEN closed THEN 'closed' WHEN n % 3 = 0 THEN 'contacted' ELSE 'open' END, 1, at, at, false, false,
       't-sdpea@1', at, CASE WHEN closed THEN at END, CASE WHEN closed THEN 'resolved' END
FROM generate_series(1, $1::integer) AS n,
     LATERAL (SELECT $2 || lpad((1 + abs(hashint4(n) % $3))::text, 2, '0') AS unit,
                     'S' || lpad(abs(hashint4(n + 10000000) % $4)::text, 4, '0') AS person,
                     (ARRAY['complaint', 'consultation', 'report', 'opinion'])[1 + abs(hashint4(n + 20000000) % 4)]
                         AS type,
                     hashint4(n + 30000000) % $5 <> 0 AS closed,
                     timestamptz '2026-10-09 10:00+08' - ($1 - n) * interval '31 seconds' AS at) AS its
"""
_CLOCKS = """
INSERT INTO clocks (id, subject_kind, subject_id, round, milestone, appeal_type, started_at, due_at, policy, calendar,
                    provisional, state, stopped_at)
SELECT gen_random_uuid(), 'appeal', id, 1, milestone, type, received_at, received_at + within, 't-sdpea@1',
       'cn-statutory@1', false, CASE WHEN state = 'closed' THEN 'met' ELSE 'running' END, closed_at
FROM appeals, (VALUES ('contact', interval '1 day'), ('answer', interval '9 days')) AS m (milestone, within)
"""
_WORDS = """
INSERT INTO appeal_words (appeal_id, summary, pairs, stored_at)
SELECT id, '\\x01', string_to_array(texts.pairs, ',')::bigint[], received_at
FROM appeals JOIN unnest($1::text[]) WITH ORDINALITY AS texts (pairs, place)
     ON texts.place = 1 + abs(hashtext(id::text) % cardinality($1))
"""
_SAYING = """
SELECT appeal_id, abs(hashtext(appeal_id::text) % $1) AS text FROM appeal_words
"""
# What changed lately, itself or by a clock of it, after a mark that was set an hour and more before.
_LATELY = (
    "INSERT INTO feed_marks VALUES (timestamptz '2026-10-09 08:30+08', pg_current_xact_id()::text::bigint)",
    """
UPDATE appeals SET updated_at = '2026-10-09 10:00+08', changed_xid = pg_current_xact_id()::text::bigint
WHERE hashint4(right(appeal_no, 9)::integer + 40000000) % 500 = 0
""",
    """
UPDATE clocks SET changed_at = '2026-10-09 10:00+08', changed_xid = pg_current_xact_id()::text::bigint
WHERE state = 'running' AND hashtext(subject_id::text) % 20 = 0
""",
)
_SEALED = "UPDATE appeal_words SET summary = $2 WHERE appeal_id = $1"


class Screen(NamedTuple):
    """What somebody looks at: what it is called, whose it is, and what is asked for."""

    name: str
    unit: str
    query: Mapping[str, Any]


async def make(owner: asyncpg.Connection, runtime: Runtime, appeals: int) -> None:
    """Makes them, with two clocks and the words of each."""
    await owner.execute(_UNITS, UNIT, BELOW)
    await owner.execute(_APPEALS, appeals, UNIT, BELOW, PEOPLE, OPEN_SHARE)
    await owner.execute(_CLOCKS)
    async with runtime.db.transaction() as tx:
        index = await runtime.vault.index(tx)
    pairs = [",".join(map(str, index.pairs(FIELD, text))) for text in TEXTS]
    await owner.execute(_WORDS, pairs)
    await _seal(owner, runtime)
    for statement in _LATELY:
        await owner.execute(statement)
    await owner.execute("VACUUM (FREEZE, ANALYZE)")


async def _seal(owner: asyncpg.Connection, runtime: Runtime) -> None:
    """Only those are sealed that a search opens, the first of the common ones among them."""
    rows = await owner.fetch(_SAYING + " ORDER BY appeal_id", len(TEXTS))
    common = [row for row in rows if row["text"] % 4 == COMMON][:20_000]
    rare = [row for row in rows if row["text"] == RARE]
    async with runtime.db.transaction() as tx:
        sealed = [(its, await _sealed(tx, runtime, its, text)) for its, text in {*map(tuple, common + rare)}]
    await owner.executemany(_SEALED, sealed)


async def _sealed(tx: Any, runtime: Runtime, appeal: UUID, text: int) -> bytes:
    return await runtime.vault.seal(tx, UNIT, Place("appeal_words", "summary", appeal), TEXTS[text])
