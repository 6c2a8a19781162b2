"""The rows of the table, in its order."""

from bench.row import Row
from bench.rows import intake, relay

ROWS: tuple[Row, ...] = (intake.ROW, relay.ROW)
