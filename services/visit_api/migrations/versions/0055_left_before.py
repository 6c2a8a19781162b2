"""The units from which customers went before that was kept, as far as visits to them and plans tell.

It only expands: no column changes.
"""

from chassis.migrate import run_scripts

revision = "0055"
down_revision = "0054"

LEFT = """
INSERT INTO customer_leavings (customer_id, unit_code)
SELECT its.customer_id, its.unit_code
FROM (SELECT customer_id, unit_code FROM visits UNION SELECT customer_id, unit_code FROM plan_items) AS its
JOIN customers ON customers.id = its.customer_id AND customers.unit_code <> its.unit_code
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Looks through visits and plans once."""
    run_scripts(LEFT)
