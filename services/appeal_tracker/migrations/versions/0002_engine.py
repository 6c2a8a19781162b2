"""The deadline engine in full: holds, promises, publishing, recalculation, clocks on visits, self-audit, simulation.

It only expands: the code of the first revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0002"
down_revision = "0001"

# No foreign keys here either: a hold is written together with what it holds.
CLOCKS = """
ALTER TABLE clocks ADD COLUMN late_arrival boolean NOT NULL DEFAULT false;
ALTER TABLE clocks ADD COLUMN follows uuid;
ALTER TABLE clocks ADD COLUMN promised_by uuid;
CREATE INDEX clocks_follows ON clocks (follows) WHERE follows IS NOT NULL;

ALTER TABLE timers DROP CONSTRAINT timers_state_check;
ALTER TABLE timers ADD CONSTRAINT timers_state_check CHECK (state IN ('pending', 'held', 'fired', 'cancelled'));

CREATE TABLE holds (
    id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestones text[] NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    reason text NOT NULL,
    note text,
    held_by text NOT NULL,
    resumed_by text,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX holds_subject_id ON holds (subject_id);
CREATE UNIQUE INDEX holds_open ON holds (subject_id) WHERE until IS NULL;
"""

APPEALS = """
ALTER TABLE appeals ADD COLUMN policy_assumed boolean NOT NULL DEFAULT false;
ALTER TABLE appeals ADD COLUMN merged_into uuid;
ALTER TABLE appeals ADD COLUMN reopened_at timestamptz;
CREATE INDEX appeals_merged_into ON appeals (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX appeals_policy_assumed ON appeals (id) WHERE policy_assumed AND state <> 'closed';

-- What was written before is older than whoever may still be writing; a constant default rewrites no table.
ALTER TABLE contacts ADD COLUMN changed_xid bigint NOT NULL DEFAULT 0;
ALTER TABLE contacts ALTER COLUMN changed_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE answers ADD COLUMN changed_xid bigint NOT NULL DEFAULT 0;
ALTER TABLE answers ALTER COLUMN changed_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE callbacks ADD COLUMN changed_xid bigint NOT NULL DEFAULT 0;
ALTER TABLE callbacks ALTER COLUMN changed_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE timeline ADD COLUMN changed_xid bigint NOT NULL DEFAULT 0;
ALTER TABLE timeline ALTER COLUMN changed_xid SET DEFAULT (pg_current_xact_id()::text::bigint);
"""

CALENDARS = """
ALTER TABLE calendar_versions ADD COLUMN published_by text;
ALTER TABLE calendar_versions ADD COLUMN sources text[] NOT NULL DEFAULT '{}';
ALTER TABLE calendar_versions ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE calendar_versions ADD COLUMN changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX calendar_versions_feed ON calendar_versions (changed_xid);
"""

POLICIES = """
ALTER TABLE policies ADD COLUMN published_by text;
ALTER TABLE policies ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE policies ADD COLUMN changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX policies_feed ON policies (changed_xid, id);
ALTER TABLE policy_assignments ADD COLUMN calendar text;
CREATE TABLE policy_withdrawals (
    policy text PRIMARY KEY,
    withdrawn_at timestamptz NOT NULL,
    withdrawn_by text NOT NULL,
    reason text NOT NULL
);
"""

RECALCULATIONS = ""

VISITS = ""

AUDIT = ""

SIMULATIONS = ""


def upgrade() -> None:
    """What follows may not be deleted by the service's role either."""
    run_scripts(CLOCKS, APPEALS, CALENDARS, POLICIES, RECALCULATIONS, VISITS, AUDIT, SIMULATIONS)
