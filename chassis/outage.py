"""What counts as an outage: nobody's own fault, worth waiting for, never a reason to give up a message."""

from collections.abc import Iterator
from errno import EDQUOT, ENOSPC

# SQLSTATE classes: 08 connection, 40 rollback (deadlock, serialization), 53 resources, 57 operator, 58 system.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
# lock_not_available, read_only_sql_transaction (a standby during fail-over), idle_in_transaction_session_timeout
_TRANSIENT_STATES = frozenset({"55P03", "25006", "25P03"})
# undefined table, column and function, insufficient_privilege: the database is not (yet) what this version was made for
_UNPREPARED_STATES = frozenset({"42P01", "42703", "42883", "42501"})
# query_canceled by statement_timeout, idle_in_transaction_session_timeout
_TOO_SLOW_STATES = frozenset({"57014", "25P03"})
# An OSError for what is wrong here, not for what is away.
_OWN_FAULTS = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError)
# How the driver and the pool speak of a connection that broke under them; the last two, of one whose server died in the
# middle of a statement.
_BROKEN = ("closed", "connection", "released", "QueuePool limit", "another operation", "cannot switch to state")


class Outage(Exception):
    """A component this service stands on cannot be used right now; the caller waits and tries again."""


def is_outage(error: BaseException) -> bool:
    """Whether `error`, or what it wraps, says that a component is away rather than that the work itself is wrong."""
    return any(_transient(link) for link in _chain(error))


def is_too_slow(error: BaseException) -> bool:
    """Whether the server gave up on a statement or a transaction that took its time: doing less at once may help."""
    return any(getattr(link, "sqlstate", None) in _TOO_SLOW_STATES for link in _chain(error))


def is_full(error: BaseException) -> bool:
    """Whether no room was left on a disk."""
    return any(isinstance(link, OSError) and link.errno in (ENOSPC, EDQUOT) for link in _chain(error))


def _transient(error: BaseException) -> bool:
    # OSError covers refused and reset connections and, since 3.11, TimeoutError (pool, connect and command time-outs).
    if isinstance(error, (Outage, OSError)):
        return not isinstance(error, _OWN_FAULTS)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES | _UNPREPARED_STATES
    return bool(getattr(error, "connection_invalidated", False)) or _closed_connection(error)


def _closed_connection(error: BaseException) -> bool:
    # asyncpg and SQLAlchemy's pool report these without a SQLSTATE.
    name = type(error).__name__
    return name == "QueuePoolTimeoutError" or (
        name in {"InterfaceError", "InternalClientError", "InternalError", "TimeoutError"}
        and any(word in str(error) for word in _BROKEN)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = (
            getattr(error, "orig", None)
            or error.__cause__
            or (None if error.__suppress_context__ else error.__context__)
        )
