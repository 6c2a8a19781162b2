"""The units from which staff went before that was kept, as far as hand-overs of their work and their visits tell.

It only expands: no column changes.
"""

from chassis.migrate import run_scripts

revision = "0061"
down_revision = "0060"

# A visit for a unit above somebody's own is no word that they were ever of it: they would have seen all that is below.
LEFT = """
INSERT INTO staff_leavings (staff_no, unit_code)
WITH RECURSIVE above (unit_code, code) AS (
    SELECT code, parent_code FROM units WHERE parent_code IS NOT NULL
    UNION
    SELECT above.unit_code, units.parent_code FROM above JOIN units USING (code) WHERE units.parent_code IS NOT NULL
)
SELECT its.staff_no, its.unit_code
FROM staff_hand_overs AS its JOIN staff ON staff.staff_no = its.staff_no AND staff.unit_code <> its.unit_code
UNION
SELECT its.staff_no, its.unit_code
FROM (SELECT DISTINCT unnest(visitor_ids), unit_code FROM visits) AS its (staff_no, unit_code)
JOIN staff ON staff.staff_no = its.staff_no AND staff.unit_code <> its.unit_code
WHERE (staff.unit_code, its.unit_code) NOT IN (SELECT unit_code, code FROM above)
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Looks through hand-overs and visits once."""
    run_scripts(LEFT)
