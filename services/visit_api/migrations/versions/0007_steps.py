"""What is done on a visit, with what policies, and how customers use electricity."""

from chassis.migrate import run_scripts

revision = "0007"
down_revision = "0006"

_CHANGED = "updated_at timestamptz NOT NULL, changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

PROFILES = f"""
CREATE TABLE customer_profiles (
    id uuid PRIMARY KEY REFERENCES customers (id),
    industry text,
    traits text[] NOT NULL,
    noted_by text NOT NULL,
    {_CHANGED}
);
CREATE INDEX customer_profiles_feed ON customer_profiles (changed_xid, id);
"""

MATERIALS = f"""
CREATE TABLE materials (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    series_id uuid NOT NULL,
    replaces uuid REFERENCES materials (id),
    version integer NOT NULL,
    title text NOT NULL,
    topic text NOT NULL,
    summary text NOT NULL,
    source text,
    needs text[] NOT NULL,
    traits text[] NOT NULL,
    industries text[] NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    state text NOT NULL,
    drafted_by text NOT NULL,
    published_at timestamptz,
    published_by text,
    replaced_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_by text,
    reason text,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT materials_one_of_a_version UNIQUE (series_id, version),
    CONSTRAINT materials_state_known CHECK (state IN ('draft', 'published', 'withdrawn'))
);
CREATE INDEX materials_unit_code ON materials (unit_code);
CREATE INDEX materials_feed ON materials (changed_xid, id);
"""

STEPS = f"""
CREATE TABLE steps (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    kind text NOT NULL,
    content jsonb NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    supersedes uuid UNIQUE REFERENCES steps (id),
    superseded_by uuid REFERENCES steps (id),
    appeal_id uuid REFERENCES appeals (id),
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT steps_kind_known
        CHECK (kind IN ('publicise', 'needs', 'promotion', 'consultation', 'appeals', 'strategy'))
);
CREATE INDEX steps_visit_id ON steps (visit_id, id);
CREATE INDEX steps_feed ON steps (changed_xid, id);
"""

# A step never changes: what corrects it stands beside it. What a material says is fixed once it is drafted.
IMMUTABLE = """
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON steps, materials FROM %I', service);
    EXECUTE format('GRANT UPDATE (superseded_by, updated_at, changed_xid) ON steps TO %I', service);
    EXECUTE format('GRANT UPDATE (state, published_at, published_by, replaced_at, withdrawn_at, withdrawn_by, reason, '
                   'updated_at, changed_xid) ON materials TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes the tables."""
    run_scripts(PROFILES, MATERIALS, STEPS, IMMUTABLE)
