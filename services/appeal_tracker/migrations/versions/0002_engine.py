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
ALTER TABLE appeals ADD COLUMN held_in text;
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

RECALCULATIONS = """
CREATE TABLE recalculations (
    id uuid PRIMARY KEY,
    cause text NOT NULL CONSTRAINT recalculations_cause_check
        CHECK (cause IN ('calendar_version', 'policy_version', 'assignment')),
    calendar text,
    policy text,
    target text,
    unit_code text,
    assumed boolean NOT NULL DEFAULT false,
    requested_by text,
    requested_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'queued' CONSTRAINT recalculations_state_check
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    turn integer NOT NULL DEFAULT 0,
    after uuid,
    total bigint,
    done bigint NOT NULL DEFAULT 0,
    moved bigint NOT NULL DEFAULT 0,
    breaching bigint NOT NULL DEFAULT 0,
    seconds double precision NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX recalculations_feed ON recalculations (changed_xid, id);
CREATE INDEX recalculations_unfinished ON recalculations (id) WHERE state IN ('queued', 'running');

CREATE INDEX clocks_held ON clocks (due_at) WHERE state = 'held';
CREATE INDEX timeline_recalculations ON timeline ((data ->> 'recalculation_id'), seq)
    WHERE (data ->> 'recalculation_id') IS NOT NULL;
"""

VISITS = """
CREATE TABLE visits (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    visitors text[],
    window_from timestamptz,
    window_to timestamptz,
    appointed_at timestamptz,
    arrived_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    missed_at timestamptz,
    archived_at timestamptz,
    updated_at timestamptz NOT NULL
);
CREATE INDEX appeals_visit_id ON appeals (visit_id) WHERE visit_id IS NOT NULL;
"""

AUDIT = """
CREATE TABLE audit_walks (
    kind text PRIMARY KEY,
    after uuid,
    looked_at timestamptz,
    came_round_at timestamptz
);
CREATE TABLE audit_findings (
    invariant text NOT NULL,
    subject_id uuid NOT NULL,
    place text NOT NULL,
    subject_kind text NOT NULL,
    clock_id uuid,
    unit_code text,
    found_at timestamptz NOT NULL,
    gone_at timestamptz,
    PRIMARY KEY (invariant, subject_id, place)
);
CREATE INDEX audit_findings_open ON audit_findings (invariant, found_at) WHERE gone_at IS NULL;
CREATE TABLE canary (
    clock_id uuid PRIMARY KEY,
    armed_at timestamptz,
    expected_at timestamptz,
    fired_at timestamptz
);
"""

# What is asked of a period of the past, here and by the statistics, goes by the appeals that were received in it.
SIMULATIONS = """
CREATE INDEX appeals_received_at ON appeals (received_at, id);

CREATE TABLE simulations (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    scope text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    candidate jsonb NOT NULL,
    state text NOT NULL CONSTRAINT simulations_state_check CHECK (state IN ('queued', 'running', 'done')),
    total integer NOT NULL,
    done integer NOT NULL,
    after_received timestamptz,
    after_id uuid,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX simulations_feed ON simulations (changed_xid, id);
CREATE INDEX simulations_unit_code ON simulations (unit_code, id);
CREATE INDEX simulations_open ON simulations (requested_at, id) WHERE state <> 'done';

CREATE TABLE simulation_counts (
    simulation_id uuid NOT NULL CONSTRAINT simulation_counts_simulation_id_fkey REFERENCES simulations (id),
    unit_code text NOT NULL,
    appeal_type text NOT NULL,
    milestone text NOT NULL,
    judged integer NOT NULL,
    would_breach integer NOT NULL,
    did_breach integer NOT NULL,
    newly_breached integer NOT NULL,
    newly_kept integer NOT NULL,
    undecided integer NOT NULL,
    PRIMARY KEY (simulation_id, unit_code, appeal_type, milestone)
);

CREATE TABLE simulation_differences (
    id uuid PRIMARY KEY,
    simulation_id uuid NOT NULL CONSTRAINT simulation_differences_simulation_id_fkey REFERENCES simulations (id),
    appeal_id uuid NOT NULL,
    appeal_no text NOT NULL,
    unit_code text NOT NULL,
    appeal_type text NOT NULL,
    received_at timestamptz NOT NULL,
    round integer NOT NULL,
    milestone text NOT NULL,
    did text NOT NULL
        CONSTRAINT simulation_differences_did_check CHECK (did IN ('kept', 'breached', 'undecided', 'none')),
    would text NOT NULL
        CONSTRAINT simulation_differences_would_check CHECK (would IN ('kept', 'breached', 'undecided', 'none')),
    due_at timestamptz,
    would_be_due_at timestamptz,
    stopped_at timestamptz,
    recorded_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT simulation_differences_once UNIQUE (simulation_id, appeal_id, round, milestone)
);
CREATE INDEX simulation_differences_feed ON simulation_differences (changed_xid, id);
CREATE INDEX simulation_differences_list ON simulation_differences (simulation_id, id);
"""


def upgrade() -> None:
    """What follows may not be deleted by the service's role either."""
    run_scripts(CLOCKS, APPEALS, CALENDARS, POLICIES, RECALCULATIONS, VISITS, AUDIT, SIMULATIONS)
