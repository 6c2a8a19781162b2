"""Work is done while the server is at a statement, and neither is left behind by the other."""

import asyncio

import pytest

from chassis.db import meanwhile


async def test_the_statement_is_sent_before_the_work_and_answered_after_it() -> None:
    order = []

    async def statement() -> None:
        order.append("sent")
        await asyncio.sleep(0)
        order.append("answered")

    def work() -> str:
        order.append("worked")
        return "its result"

    assert await meanwhile(statement(), work) == "its result"
    assert order == ["sent", "worked", "answered"]


async def test_a_statement_that_fails_fails_both() -> None:
    async def statement() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await meanwhile(statement(), lambda: None)


async def test_work_that_fails_leaves_no_statement_at_work() -> None:
    answered = []

    async def statement() -> None:
        await asyncio.sleep(0.01)
        answered.append(True)

    with pytest.raises(ZeroDivisionError):
        await meanwhile(statement(), lambda: 1 // 0)
    assert answered


async def test_whoever_is_cancelled_ends_as_cancelled_whatever_the_statement_does() -> None:
    answered = []

    async def statement() -> None:
        await asyncio.sleep(0.01)
        answered.append(True)
        raise ConnectionError

    its = asyncio.create_task(meanwhile(statement(), lambda: None))
    await asyncio.sleep(0)
    its.cancel()
    with pytest.raises(asyncio.CancelledError):
        await its
    assert answered
