"""What is archived is sealed, and found by what may be looked for: time, person, customer, kind, appeals, words."""

from chassis.migrate import run_scripts

revision = "0014"
down_revision = "0013"

# What was archived before keeps its record as it is: nobody may rewrite it.
SEALED = """
ALTER TABLE archive_entries
    ALTER COLUMN record DROP NOT NULL,
    ADD COLUMN sealed bytea,
    ADD COLUMN said_digest bytea,
    ADD COLUMN visited_at timestamptz,
    ADD COLUMN customer_id uuid,
    ADD COLUMN customer_kind text,
    ADD COLUMN people text[],
    ADD COLUMN appeal_types text[],
    ADD COLUMN words bigint[],
    ADD CONSTRAINT archive_entries_said CHECK (record IS NOT NULL OR (sealed IS NOT NULL AND said_digest IS NOT NULL));
CREATE INDEX archive_entries_words ON archive_entries USING gin (words);
CREATE INDEX archive_entries_people ON archive_entries USING gin (people);
CREATE INDEX archive_entries_visited_at ON archive_entries (visited_at);
CREATE INDEX archive_entries_customer_id ON archive_entries (customer_id);
"""


def upgrade() -> None:
    """Adds the columns."""
    run_scripts(SEALED)
