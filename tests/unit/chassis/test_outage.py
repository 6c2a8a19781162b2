"""What is worth waiting for, and what is done about it."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from chassis.messaging.bus import BusUnavailable
from chassis.outage import is_outage, is_too_slow
from chassis.vault import KeysUnusable


def wrapped(error: asyncpg.PostgresError) -> DBAPIError:
    """As SQLAlchemy hands on what the driver raised."""
    return DBAPIError("SELECT 1", None, error)


@pytest.mark.parametrize(
    ("error", "outage", "too_slow"),
    [
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), True, True),
        (asyncpg.IdleInTransactionSessionTimeoutError("terminating connection due to idle-in-transaction"), True, True),
        (asyncpg.UndefinedTableError('relation "visits" does not exist'), True, False),
        (asyncpg.UndefinedColumnError('column "calendar" does not exist'), True, False),
        (asyncpg.InsufficientPrivilegeError("permission denied for table visits"), True, False),
        (asyncpg.AdminShutdownError("terminating connection"), True, False),
        (asyncpg.DeadlockDetectedError("deadlock detected"), True, False),
        (asyncpg.UniqueViolationError("duplicate key"), False, False),
        (asyncpg.NotNullViolationError("null value"), False, False),
    ],
)
def test_what_a_database_says_is_told_apart(error: asyncpg.PostgresError, outage: bool, too_slow: bool) -> None:
    assert (is_outage(error), is_too_slow(error)) == (outage, too_slow)
    assert (is_outage(wrapped(error)), is_too_slow(wrapped(error))) == (outage, too_slow)


def test_a_bus_that_is_away_is_an_outage_and_so_are_keys() -> None:
    assert is_outage(BusUnavailable("kafka: gone"))
    assert not is_too_slow(BusUnavailable("kafka: gone"))
    assert is_outage(KeysUnusable("keys cannot be read")), "nothing is given up for a file that is being written"
    assert is_outage(TimeoutError())
    assert not is_outage(FileNotFoundError("ours to mend"))
