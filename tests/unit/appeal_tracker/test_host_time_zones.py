"""The zone of the host must not matter: the same questions in three processes, each in another zone."""

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appeal_tracker.calendars.loader import cn_statutory
from appeal_tracker.calendars.period import Period
from appeal_tracker.clocks.calculation import Hold, due, explain, points
from appeal_tracker.policies.loader import packaged_policies
from appeal_tracker.policies.strictness import first_laxer_start

# UTC, Asia/Shanghai and America/Los_Angeles, spelled so that a host without a zone database knows them too.
ZONES = ("UTC0", "CST-8", "PST8PDT,M3.2.0,M11.1.0")
ROOT = Path(__file__).resolve().parents[3]


def answers() -> str:
    """Ask everything that turns instants into days or back, on starts 37 h 7 min apart, and digest what comes."""
    calendar, digest = cn_statutory(), hashlib.sha256()
    start, hold = datetime(2024, 12, 20, 1, 23, 45, 678, tzinfo=UTC), timedelta(hours=61)
    for each in range(250):
        begins = start + each * timedelta(hours=37, minutes=7)
        for policy in packaged_policies().values():
            for limit in (*policy.limits("complaint"), *policy.visits):
                holds = [Hold(begins + hold / 2, begins + hold)] if each % 3 == 0 else []
                deadline = due(begins, limit.within, calendar, holds)
                timers = points(limit.ladder, begins, limit.within, calendar, policy.quiet, holds)
                days = explain(begins, limit.within, calendar, holds)
                digest.update(repr((deadline, str(deadline), deadline.last_day, timers, days)).encode())
    digest.update(repr(first_laxer_start(Period.parse("1 working day"), Period.parse("24 hours"), calendar)).encode())
    return digest.hexdigest()


def test_the_answers_are_the_same_wherever_the_host_is():
    """Bug class: host time zone leaks."""
    program = (
        "import runpy, time; time.tzset(); "
        f"print(time.localtime(0).tm_hour, runpy.run_path({str(Path(__file__))!r})['answers']())"
    )
    hours, digests = set(), set()
    for zone in ZONES:
        environment = {**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "services")))}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        hour, digest = run.stdout.split()
        hours.add(hour)
        digests.add(digest)
    assert len(hours) == len(ZONES), "the hosts did not differ, so nothing was shown"
    assert digests == {answers()}
