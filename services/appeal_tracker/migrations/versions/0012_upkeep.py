"""How far the newer code has come in making up for what older code did not keep beside an appeal.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0012"
down_revision = "0011"

UPKEEP = """
CREATE TABLE upkeep (
    one boolean PRIMARY KEY DEFAULT true,
    changed_xid bigint NOT NULL,
    appeal_id uuid NOT NULL,
    CONSTRAINT upkeep_one_check CHECK (one)
);
"""


def upgrade() -> None:
    run_scripts(UPKEEP)
