"""By which transaction a contact or a suggestion was made, so that nobody is told that one went whom they never saw.

It only expands: the code of the revision before runs on these tables while it is being replaced. What was there before
bears none, and is told as before.
"""

from chassis.migrate import run_scripts

revision = "0069"
down_revision = "0068"

# The default apart: with it the column would be written into every row.
MADE = """
ALTER TABLE contacts ADD COLUMN made_xid bigint;
ALTER TABLE contacts ALTER COLUMN made_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE risk_suggestions ADD COLUMN made_xid bigint;
ALTER TABLE risk_suggestions ALTER COLUMN made_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
"""


def upgrade() -> None:
    run_scripts(MADE)
