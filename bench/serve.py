"""`python -m bench.serve SERVICE WORD`: one process of a service, as `python -m SERVICE WORD` runs it, for a row.

`--without-database` answers a raised appeal without storing it: what the route costs by itself.
`--profile FILE` writes a profile of the process, by processor time, when it ends.
"""

import argparse
import cProfile
import importlib
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.process import main


def forget_appeals() -> None:
    """From now on, in this process, nothing that is raised is stored; the answer is the same."""
    from visit_api.appeals import repository
    from visit_api.appeals.models import Appeal

    blank = dict.fromkeys(column.key for column in Appeal.__table__.columns)

    async def add(
        statements: object, unit: str | None, visit_id: UUID, raised: repository.Raised, told: object
    ) -> Mapping[str, Any]:
        known = {"appeal_no": "VA0000000001", "visit_id": visit_id, "unit_code": unit, "state": "open", "round": 1}
        now = datetime.now(raised.recorded_at.tzinfo)
        return {**blank, **raised._asdict(), **known, "deadlines": {}, "updated_at": now}

    repository.add = add


def _run(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__)
    parser.add_argument("service")
    parser.add_argument("word")
    parser.add_argument("--without-database", action="store_true")
    parser.add_argument("--profile")
    chosen = parser.parse_args(words)
    if chosen.without_database:
        forget_appeals()
    service = importlib.import_module(f"{chosen.service}.__main__").SERVICE
    if chosen.profile is None:
        main(service, [chosen.word])
    profiler = cProfile.Profile(time.process_time)
    try:
        profiler.runcall(main, service, [chosen.word])
    finally:
        profiler.dump_stats(chosen.profile)


if __name__ == "__main__":
    _run(sys.argv[1:])
