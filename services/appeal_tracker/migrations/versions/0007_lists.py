"""What a handler's screen is listed by.

It only expands: the code of the sixth revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0007"
down_revision = "0006"

LISTS = """
CREATE INDEX appeals_of_owner ON appeals (coalesce(handler, first_contact), id);
CREATE INDEX appeals_open ON appeals (id) WHERE state <> 'closed';
CREATE INDEX appeals_supervised ON appeals (id) WHERE supervised_at IS NOT NULL;
CREATE INDEX appeals_category ON appeals (category, id) WHERE category IS NOT NULL;
"""


def upgrade() -> None:
    run_scripts(LISTS)
