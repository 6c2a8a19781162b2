"""Links by which customers rate an answer, and how often somebody guessed at one.

It only expands: the code of the eighth revision runs on these tables while it is being replaced.
"""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0009"
down_revision = "0008"

LINKS = """
CREATE TABLE callback_links (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL REFERENCES appeals,
    round integer NOT NULL,
    token_hash bytea NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    callback_id uuid,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX callback_links_feed ON callback_links (changed_xid, id);
CREATE INDEX callback_links_appeal_id ON callback_links (appeal_id, id);
CREATE UNIQUE INDEX callback_links_token_hash ON callback_links (token_hash);
"""

MISSES = """
CREATE TABLE callback_link_misses (
    block text NOT NULL,
    since timestamptz NOT NULL,
    misses integer NOT NULL,
    PRIMARY KEY (block, since)
);
"""


def upgrade() -> None:
    run_scripts(LINKS, MISSES, may_delete("callback_link_misses"))
