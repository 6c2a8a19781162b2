"""What people wrote about appeals is sealed in a table of its own. What older code wrote in the clear stays where it is
until the upkeep meets it, which begins anew.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0015"
down_revision = "0014"

TEXTS = """
CREATE TABLE texts (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL,
    said bytea NOT NULL
);
CREATE INDEX texts_appeal_id ON texts (appeal_id);
ALTER TABLE answers ALTER COLUMN content DROP NOT NULL;
ALTER TABLE holds ALTER COLUMN reason DROP NOT NULL;
DELETE FROM upkeep;
"""


def upgrade() -> None:
    run_scripts(TEXTS)
