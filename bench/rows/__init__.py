"""The rows of the table, in its order."""

from bench.row import Row
from bench.rows import relay

ROWS: tuple[Row, ...] = (relay.ROW,)
