"""The rows of the table, in its order."""

from bench.row import Row
from bench.rows import (
    calculations,
    consume,
    escalate,
    firing,
    growth,
    held,
    importing,
    intake,
    latency,
    lists,
    memory,
    pure,
    recalculate,
    relay,
    sending,
)

ROWS: tuple[Row, ...] = (
    intake.ROW,
    relay.ROW,
    consume.ROW,
    latency.ROW,
    firing.ROW,
    growth.ROW,
    held.ROW,
    recalculate.ROW,
    pure.ROW,
    calculations.ROW,
    escalate.ROW,
    lists.ROW,
    sending.SENT,
    sending.CLAIMS,
    importing.ROW,
    memory.ROW,
)
