"""Each part of each service as a process of its own, as a cluster deploys them: together they do what one would."""

import pytest

from tests.faults.conftest import Begin


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_parts_that_run_apart_do_everything_once(begin: Begin, bus: str | None) -> None:
    async with begin(bus, apart=True) as load:
        for _ in range(2):
            await load.day()
        await load.end()
        assert load.services.deaths == []
