"""For when visits are planned, when it was last said whether they are appointed; how often somebody was found again.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0015"
down_revision = "0014"

_PLANS = """
ALTER TABLE parties ADD COLUMN scheduled_at timestamptz;
ALTER TABLE parties ADD COLUMN scheduled_said timestamptz;
ALTER TABLE parties ADD COLUMN appointed_said timestamptz;
ALTER TABLE notices ADD COLUMN scheduled_at timestamptz;
ALTER TABLE deliveries ADD COLUMN found_again integer NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    run_scripts(_PLANS)
