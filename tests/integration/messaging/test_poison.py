"""What cannot be carried, decoded or borne is set aside with its reason, and the rest flows on: on both buses."""

from uuid import uuid4

from chassis.messaging import dead_letters
from tests.integration.messaging.spine import TOPIC, Spine, raised, started

DLQ = f"{TOPIC}.dlq"
UNDECODABLE = {
    "no text": (b"\xff\xfenot json", "visit.started.v1", "InvalidPayload"),
    "of a version to come": (b"{}", "visit.started.v9", "UnknownVersion"),
    "of a wrong type": (b'{"visit_id": 5}', "visit.started.v1", "InvalidPayload"),
    "of no version": (b"{}", "visit.started.v1\0", "UnknownVersion"),
}


async def test_what_cannot_be_decoded_is_parked_and_the_rest_flows(any_spine: Spine) -> None:
    for key, (value, type_, _) in UNDECODABLE.items():
        await any_spine.publish_raw(key, value, type_)
    good = started()
    await any_spine.tell(good)
    await any_spine.relayed()
    await any_spine.taken(len(UNDECODABLE) + 1)
    assert await any_spine.effects() == [str(good.visit_id)]

    await any_spine.relayed()
    letters = {letter.key.decode(): letter for letter in await any_spine.on(DLQ, len(UNDECODABLE))}
    assert letters.keys() == UNDECODABLE.keys()
    for key, (value, _, reason) in UNDECODABLE.items():
        told = dict(letters[key].headers)
        assert reason in told["dlq_reason"].decode()
        assert (told["dlq_group"], told["dlq_topic"], letters[key].value) == (b"spine", TOPIC.encode(), value)


async def test_a_poisoned_key_keeps_its_order_and_a_complaint_never_waits_behind_it(any_spine: Spine) -> None:
    visit, other = uuid4(), uuid4()
    any_spine.broken = {str(visit)}
    complaint = raised(visit)
    first, second, _, another = await any_spine.tell(started(visit), started(visit), complaint, started(other))
    await any_spine.relayed()
    await any_spine.taken(4)
    assert set(await any_spine.effects()) == {str(complaint.appeal_id), str(other)}
    async with any_spine.db.transaction() as tx:
        parked = await dead_letters.listed(tx)
    assert [(row["attempts"], row["key"].decode()) for row in parked] == [(3, str(visit)), (0, str(visit))]

    done, failures = await dead_letters.replay(any_spine.db, any_spine.handlers)
    assert (done, len(failures)) == (0, 1)
    any_spine.broken = set()
    assert await dead_letters.replay(any_spine.db, any_spine.handlers) == (2, [])
    (third,) = await any_spine.tell(started(visit))
    await any_spine.relayed()
    await any_spine.taken(1)
    in_order = await any_spine.rows("SELECT event_id FROM effects WHERE type = 'visit.started.v1' ORDER BY place")
    assert [row["event_id"] for row in in_order if row["event_id"] != another] == [first, second, third]


async def test_an_oversize_row_is_set_aside_and_the_rest_flows(any_spine: Spine) -> None:
    async with any_spine.db.connection() as connection:
        await connection.execute(
            """INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, "time", payload)
            VALUES (gen_random_uuid(), 'visit.events', 'k', 't.t.v1', '/spine', 's', now(), $1)""",
            b"x" * 1_200_000,
        )
    good = started()
    await any_spine.tell(good)
    await any_spine.relayed()
    assert await any_spine.rows("SELECT 1 FROM outbox WHERE published_at IS NULL") == []
    (row,) = await any_spine.rows("SELECT refused FROM outbox WHERE refused IS NOT NULL")
    assert "1000000 bytes" in row["refused"]
    (notice,) = await any_spine.on(DLQ, 1)
    assert b"too large" in dict(notice.headers)["dlq_reason"]
    await any_spine.taken(1)
    assert await any_spine.effects() == [str(good.visit_id)]
