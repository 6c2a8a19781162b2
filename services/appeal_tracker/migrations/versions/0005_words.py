"""Appeals that other systems send, the words of all of them, sealed, and who read those said in confidence.

It only expands: the code of the fourth revision runs on these tables while it is being replaced.
"""

from chassis import trail, vault
from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0005"
down_revision = "0004"

APPEALS = """
ALTER TABLE appeals ADD COLUMN source text NOT NULL DEFAULT 'visit';
ALTER TABLE appeals ADD COLUMN source_no text;
ALTER TABLE appeals ADD COLUMN content_digest bytea;
CREATE UNIQUE INDEX appeals_source_no ON appeals (source, source_no) WHERE source_no IS NOT NULL;
CREATE SEQUENCE appeal_numbers;
"""

SOURCES = """
CREATE TABLE code_tables (
    source text NOT NULL,
    version integer NOT NULL,
    types jsonb NOT NULL,
    categories jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    PRIMARY KEY (source, version)
);
CREATE INDEX code_tables_feed ON code_tables (changed_xid, source);
"""

# Those of appeals that are here already are wanted too.
WORDS = """
CREATE TABLE appeal_words (
    appeal_id uuid PRIMARY KEY,
    summary bytea,
    reason_not_answered bytea,
    pairs bigint[] NOT NULL,
    stored_at timestamptz NOT NULL
);
CREATE INDEX appeal_words_pairs ON appeal_words USING gin (pairs);
CREATE TABLE words_wanted (
    appeal_id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    confidential boolean NOT NULL
);
INSERT INTO words_wanted (appeal_id, unit_code, confidential) SELECT id, unit_code, confidential FROM appeals;
"""


def upgrade() -> None:
    """What a service can read of words, it can read only with the keys that are not here."""
    run_scripts(vault.DDL, trail.DDL, APPEALS, SOURCES, WORDS, may_delete("words_wanted"))
