"""What somebody outside has to judge and close is found by the unit that it may be about; built while appeals go on.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import index_concurrently

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    index_concurrently(
        "appeals_to_conclude",
        "ON appeals (unit_code, id) WHERE (confidential OR anonymous) AND state IN ('answered', 'called_back')",
    )
