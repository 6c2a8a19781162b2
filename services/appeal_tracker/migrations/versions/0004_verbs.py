"""What the verbs record: findings, evidence, urging, supervision, and a round that goes on with the acts of another.

It only expands: the code of the third revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0004"
down_revision = "0003"

APPEALS = """
ALTER TABLE appeals ADD COLUMN facts_round integer;
ALTER TABLE appeals ADD COLUMN category text;
ALTER TABLE appeals ADD COLUMN accepted_at timestamptz;
ALTER TABLE appeals ADD COLUMN finding text;
ALTER TABLE appeals ADD COLUMN urged integer NOT NULL DEFAULT 0;
ALTER TABLE appeals ADD COLUMN supervised_by text;
ALTER TABLE appeals ADD COLUMN supervised_at timestamptz;
ALTER TABLE appeals ADD COLUMN report_by timestamptz;
ALTER TABLE contacts ADD COLUMN evidence text;
ALTER TABLE contacts ADD COLUMN note text;
ALTER TABLE answers ADD COLUMN finding text;
"""


def upgrade() -> None:
    run_scripts(APPEALS)
