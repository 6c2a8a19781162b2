"""What is owed after calls, what units decide for themselves, and who typed in what another heard."""

from chassis.migrate import run_scripts

revision = "0006"
down_revision = "0005"

RULEBOOKS = """
CREATE TABLE rulebooks (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    subject text NOT NULL,
    edition integer NOT NULL,
    content jsonb NOT NULL,
    set_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT rulebooks_one_edition UNIQUE (unit_code, subject, edition)
);
CREATE INDEX rulebooks_feed ON rulebooks (changed_xid, id);
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON rulebooks FROM %I', current_database() || '_service'); END $$;
"""

OBLIGATIONS = """
CREATE TABLE obligations (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    customer_id uuid NOT NULL REFERENCES customers (id),
    visit_id uuid REFERENCES visits (id),
    kind text NOT NULL,
    owner text NOT NULL,
    called_at timestamptz NOT NULL,
    in_hours boolean NOT NULL,
    owed_from timestamptz,
    told text,
    note text,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    state text NOT NULL,
    discharged_at timestamptz,
    discharged_by text,
    how text,
    words text,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT obligations_kind_known CHECK (kind IN ('missed_call', 'out_of_hours_call', 'untaken_call')),
    CONSTRAINT obligations_state_known CHECK (state IN ('open', 'done')),
    CONSTRAINT obligations_how_known CHECK (how IN ('called_back', 'handled', 'texted', 'waived')),
    CONSTRAINT obligations_discharged_whole CHECK ((state = 'done') = (discharged_at IS NOT NULL
        AND discharged_by IS NOT NULL AND how IS NOT NULL AND words IS NOT NULL))
);
CREATE INDEX obligations_open ON obligations (unit_code, called_at, id) WHERE state = 'open';
CREATE INDEX obligations_called_at ON obligations (called_at, id);
CREATE INDEX obligations_owner ON obligations (owner, called_at);
CREATE INDEX obligations_visit_id ON obligations (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX obligations_feed ON obligations (changed_xid, id);
"""

APPEALS = "ALTER TABLE appeals ADD COLUMN typed_by text;"


def upgrade() -> None:
    """Makes them."""
    run_scripts(RULEBOOKS, OBLIGATIONS, APPEALS)
