"""Callback tasks, and what customers think, sealed.

It only expands: the code of the seventh revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0008"
down_revision = "0007"

CALLBACKS = """
ALTER TABLE callbacks ADD COLUMN channel text NOT NULL DEFAULT 'phone';
ALTER TABLE callbacks ADD COLUMN opinion_sealed bytea;
"""

TASKS = """
CREATE TABLE callback_tasks (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL REFERENCES appeals,
    round integer NOT NULL,
    unit_code text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    required boolean NOT NULL,
    whose text NOT NULL,
    person text,
    asked_by text,
    opened_at timestamptz NOT NULL,
    clock_id uuid,
    scheduled_at timestamptz,
    agreed boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    ended_by text,
    callback_id uuid,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT callback_tasks_state_check CHECK (state IN ('open', 'done', 'cancelled')),
    CONSTRAINT callback_tasks_kind_check CHECK (kind IN ('callback', 'follow_up'))
);
CREATE INDEX callback_tasks_feed ON callback_tasks (changed_xid, id);
CREATE INDEX callback_tasks_appeal_id ON callback_tasks (appeal_id);
CREATE UNIQUE INDEX callback_tasks_open ON callback_tasks (appeal_id, kind) WHERE state = 'open';
CREATE INDEX callback_tasks_unit_code ON callback_tasks (unit_code, id);
CREATE INDEX callback_tasks_person ON callback_tasks (person, id) WHERE state = 'open';
"""


def upgrade() -> None:
    run_scripts(CALLBACKS, TASKS)
