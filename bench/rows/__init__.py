"""The rows of the table, in its order."""

from bench.row import Row
from bench.rows import consume, intake, latency, memory, relay

ROWS: tuple[Row, ...] = (intake.ROW, relay.ROW, consume.ROW, latency.ROW, memory.ROW)
