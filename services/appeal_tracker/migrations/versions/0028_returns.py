"""Which appeals repeat an appeal, and who is of a unit; built while appeals go on.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import index_concurrently

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    index_concurrently("appeals_repeat_of", "ON appeals (repeat_of) WHERE repeat_of IS NOT NULL")
    index_concurrently("staff_unit_code", "ON staff (unit_code)")
