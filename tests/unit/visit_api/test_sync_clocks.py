"""What a device's clock said, in our time; and whose cursor is still good."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from visit_api.sync import cursors
from visit_api.sync.clocks import Taken, read

NOW = datetime(2026, 10, 9, 2, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("off", "ago", "taken"),
    [
        (timedelta(), timedelta(hours=3), Taken(NOW - timedelta(hours=3), "as_said")),
        (120 * SECOND, timedelta(), Taken(NOW + 120 * SECOND, "as_said")),
        (121 * SECOND, timedelta(), Taken(NOW, "corrected")),
        (-121 * SECOND, 60 * SECOND, Taken(NOW - 60 * SECOND, "corrected")),
        (400 * DAY, 5 * DAY, Taken(NOW - 5 * DAY, "corrected")),
        (-20_000 * DAY, DAY, Taken(NOW - DAY, "corrected")),
        (timedelta(), -121 * SECOND, Taken(NOW, "untrusted")),  # set back between the act and the push
        (-DAY, -DAY - 121 * SECOND, Taken(NOW, "untrusted")),
        (timedelta(), 20_000 * DAY, Taken(NOW, "untrusted")),  # 1971
        (-700_000 * DAY, -2_900_000 * DAY, Taken(NOW, "untrusted")),  # beyond all years
    ],
)
def test_a_time_is_taken_as_said_corrected_or_not_trusted(off: timedelta, ago: timedelta, taken: Taken) -> None:
    shows = NOW + off
    assert read(shows, NOW).takes(shows - ago) == taken


def test_a_cursor_is_one_visitors_and_of_one_history() -> None:
    cursor = cursors.first("E101@37401", NOW, 700, 3)
    assert cursors.decode(cursors.encode(cursor)) == cursor
    at = msgspec.structs.replace(cursor, since=500, section=4, xid=600, id=uuid4())
    assert cursors.decode(cursors.encode(at)) == at
    assert at.is_good_for("E101@37401", NOW + 60 * DAY, 700, 3)
    assert not at.is_good_for("E102@37401", NOW, 700, 3)
    assert not at.is_good_for("E101@37401", NOW + 60 * DAY + SECOND, 700, 3)
    assert not at.is_good_for("E101@37401", NOW, 699, 3)
    assert not at.is_good_for("E101@37401", NOW, 700, 4), "a unit moved"
    for bad in (
        "",
        "x",
        "é",
        "bm9uc2Vuc2U",
        cursors.encode(at)[:-3],
        cursors.encode(msgspec.structs.replace(at, since=-1)),
    ):
        with pytest.raises(ValueError):
            cursors.decode(bad)
