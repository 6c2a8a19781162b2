"""Improvement measures, and what was done with each."""

from chassis.migrate import run_scripts

revision = "0017"
down_revision = "0016"

MEASURES = """
CREATE TABLE measures (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    visit_id uuid REFERENCES visits (id),
    appeal_id uuid REFERENCES appeals (id),
    figure text,
    finding text NOT NULL,
    measure text NOT NULL,
    owner text NOT NULL,
    due_on date NOT NULL,
    state text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    done_at timestamptz,
    done_by text,
    verified_at timestamptz,
    verified_by text,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT measures_state_known CHECK (state IN ('open', 'done', 'verified')),
    CONSTRAINT measures_found_somewhere CHECK (num_nonnulls(visit_id, appeal_id, figure) > 0),
    CONSTRAINT measures_done_whole
        CHECK ((state = 'open') = (done_at IS NULL) AND (done_at IS NULL) = (done_by IS NULL)),
    CONSTRAINT measures_verified_whole
        CHECK ((state = 'verified') = (verified_at IS NOT NULL) AND (verified_at IS NULL) = (verified_by IS NULL)),
    CONSTRAINT measures_verified_by_another CHECK (verified_by NOT IN (owner, done_by))
);
CREATE INDEX measures_due_on ON measures (due_on, id);
CREATE INDEX measures_unit_code ON measures (unit_code, due_on);
CREATE INDEX measures_owner ON measures (owner, due_on);
CREATE INDEX measures_visit_id ON measures (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX measures_appeal_id ON measures (appeal_id) WHERE appeal_id IS NOT NULL;
CREATE INDEX measures_feed ON measures (changed_xid, id);

CREATE TABLE measure_acts (
    id uuid PRIMARY KEY,
    measure_id uuid NOT NULL REFERENCES measures (id),
    act text NOT NULL,
    words text,
    owner text NOT NULL,
    due_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT measure_acts_act_known CHECK (act IN ('recorded', 'changed', 'done', 'verified', 'returned'))
);
CREATE INDEX measure_acts_measure_id ON measure_acts (measure_id, id);
CREATE INDEX measure_acts_feed ON measure_acts (changed_xid, id);

DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON measures, measure_acts FROM %I', service);
    EXECUTE format('GRANT UPDATE (owner, due_on, state, done_at, done_by, verified_at, verified_by, version, '
                   'updated_at, changed_xid) ON measures TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes the tables."""
    run_scripts(MEASURES)
