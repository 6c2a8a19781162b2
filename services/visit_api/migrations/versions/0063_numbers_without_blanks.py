"""Numbers of customers without the blanks around them that files of earlier days had, so that files find them again.

It only expands: no column changes. One whose number without blanks is another's already stays as it is.
"""

from chassis.migrate import run_scripts

revision = "0063"
down_revision = "0062"

# What systems say beside customers, by the numbers that they gave them.
SAID = r"""
WITH bare AS (
    SELECT id, source, source_no, btrim(source_no, E' \t\u3000\u00a0') AS number FROM customer_said
), blank AS (
    SELECT id, source, number, count(*) OVER (PARTITION BY source, number) AS alike
    FROM bare WHERE source_no <> number AND number <> ''
)
UPDATE customer_said AS its
SET source_no = blank.number, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
FROM blank
WHERE its.id = blank.id AND blank.alike = 1
  AND NOT EXISTS (SELECT FROM customer_said AS s WHERE s.source = blank.source AND s.source_no = blank.number)
  AND NOT EXISTS (SELECT FROM customers AS c WHERE c.source = blank.source AND c.source_no = blank.number
                                               AND c.id <> its.customer_id);
"""
CUSTOMERS = r"""
WITH bare AS (
    SELECT id, source, source_no, btrim(source_no, E' \t\u3000\u00a0') AS number FROM customers WHERE source IS NOT NULL
), blank AS (
    SELECT id, source, number, count(*) OVER (PARTITION BY source, number) AS alike
    FROM bare WHERE source_no <> number AND number <> ''
)
UPDATE customers AS its
SET source_no = blank.number,
    customer_no = CASE WHEN its.customer_no = its.source_no THEN blank.number ELSE its.customer_no END,
    version = its.version + 1, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
FROM blank
WHERE its.id = blank.id AND blank.alike = 1
  AND NOT EXISTS (SELECT FROM customers AS c WHERE c.source = blank.source AND c.source_no = blank.number)
  AND NOT EXISTS (SELECT FROM customer_said AS s WHERE s.source = blank.source AND s.source_no = blank.number
                                                   AND s.customer_id <> its.id);
"""


def upgrade() -> None:
    """Looks through both once."""
    run_scripts(SAID, CUSTOMERS)
