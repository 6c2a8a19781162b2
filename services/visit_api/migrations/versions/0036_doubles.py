"""How far visits were looked at for those that may be one: from now on, for of years ago nobody decides it any more.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0036"
down_revision = "0035"

LOOKED = """
CREATE TABLE sync_looked (
    one boolean PRIMARY KEY DEFAULT true,
    changed_xid bigint NOT NULL,
    visit_id uuid NOT NULL,
    CONSTRAINT sync_looked_one CHECK (one)
);
INSERT INTO sync_looked (changed_xid, visit_id)
VALUES (pg_current_xact_id()::text::bigint, '00000000-0000-0000-0000-000000000000');
"""


def upgrade() -> None:
    """Makes the one row."""
    run_scripts(LOOKED)
