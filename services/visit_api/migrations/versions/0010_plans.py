"""Plans of years and months, what they want, what was adjusted by hand; and a visit knows what it was made for."""

from chassis.migrate import run_scripts

revision = "0010"
down_revision = "0009"

PLANS = """
CREATE TABLE plans (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    period text NOT NULL,
    state text NOT NULL,
    rules text,
    generating jsonb,
    generating_from uuid,
    generated_at timestamptz,
    generated_by text,
    approved_at timestamptz,
    approved_by text,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT plans_one_of_a_period UNIQUE (unit_code, period),
    CONSTRAINT plans_state_known CHECK (state IN ('draft', 'approved'))
);
CREATE INDEX plans_generating ON plans (id) WHERE generating IS NOT NULL;
CREATE INDEX plans_feed ON plans (changed_xid, id);

CREATE TABLE plan_items (
    id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES plans (id),
    unit_code text NOT NULL,
    customer_id uuid NOT NULL REFERENCES customers (id),
    channel text NOT NULL,
    form text NOT NULL,
    due_from date NOT NULL,
    due_by date NOT NULL,
    rule text,
    asked_channel text,
    slot integer,
    dropped boolean NOT NULL,
    adjusted boolean NOT NULL,
    taken_at timestamptz,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT plan_items_channel_known CHECK (channel IN ('on_site', 'phone', 'online')),
    CONSTRAINT plan_items_form_known CHECK (form IN ('ordinary', 'directed', 'special')),
    CONSTRAINT plan_items_days_in_order CHECK (due_from <= due_by)
);
CREATE UNIQUE INDEX plan_items_asked ON plan_items (plan_id, customer_id, asked_channel, slot)
    WHERE asked_channel IS NOT NULL;
CREATE INDEX plan_items_due ON plan_items (plan_id, due_by, id);
CREATE INDEX plan_items_due_by ON plan_items (due_by, id);
CREATE INDEX plan_items_customer_id ON plan_items (customer_id);
CREATE INDEX plan_items_feed ON plan_items (changed_xid, id);

CREATE TABLE plan_adjustments (
    id uuid PRIMARY KEY,
    item_id uuid NOT NULL REFERENCES plan_items (id),
    unit_code text NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX plan_adjustments_item_id ON plan_adjustments (item_id, id);
CREATE INDEX plan_adjustments_feed ON plan_adjustments (changed_xid, id);
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON plan_adjustments FROM %I', current_database() || '_service'); END $$;
"""

VISITS = """
ALTER TABLE visits ADD COLUMN plan_item_id uuid REFERENCES plan_items (id);
CREATE INDEX visits_plan_item_id ON visits (plan_item_id) WHERE plan_item_id IS NOT NULL;
CREATE INDEX customers_of_unit ON customers (unit_code, id) WHERE removed_at IS NULL;
"""


def upgrade() -> None:
    """Makes them."""
    run_scripts(PLANS, VISITS)
