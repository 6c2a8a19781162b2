"""Who has which open appeals, by the unit that handles them; built while appeals go on.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import index_concurrently

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    index_concurrently(
        "appeals_workload",
        "ON appeals (handling_unit_code, coalesce(handler, first_contact, ''), id) WHERE state <> 'closed'",
    )
