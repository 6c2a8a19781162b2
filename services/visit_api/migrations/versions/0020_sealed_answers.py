"""Answers that are kept for whoever repeats a request are sealed.

It only expands: what the revision before kept in the clear is answered until it expires.
"""

from chassis.migrate import run_scripts
from chassis.web.idempotency import SEALED_DDL

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Adds the column."""
    run_scripts(SEALED_DDL)
