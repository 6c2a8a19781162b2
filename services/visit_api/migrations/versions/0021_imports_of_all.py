"""Files of units and of staff beside those of customers; where a customer's place is supplied, sealed; and the kind of
those whom nobody marked."""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0021"
down_revision = "0020"

CUSTOMERS = """
ALTER TABLE customers
    ADD COLUMN address_sealed bytea,
    ADD COLUMN import_id uuid,
    ALTER COLUMN accounts SET DEFAULT '{}',
    DROP CONSTRAINT customers_kind_known,
    ADD CONSTRAINT customers_kind_known CHECK (kind IN (
        'government', 'key_project',
        'partner.energy_body', 'partner.source_grid_load_storage', 'partner.academia',
        'other.important', 'other.service_risk', 'other.special_group', 'other.ordinary'));
"""

IMPORTS = """
ALTER TABLE imports
    ADD COLUMN thing text NOT NULL DEFAULT 'customers',
    ADD COLUMN roles text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT imports_thing_known CHECK (thing IN ('customers', 'units', 'staff'));

CREATE TABLE import_units (
    import_id uuid NOT NULL REFERENCES imports (id),
    line integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    parent_code text,
    PRIMARY KEY (import_id, line)
);
"""


def upgrade() -> None:
    """Adds what files of units and staff want; what is there stays as it is."""
    run_scripts(CUSTOMERS, IMPORTS, may_delete("import_units"))
