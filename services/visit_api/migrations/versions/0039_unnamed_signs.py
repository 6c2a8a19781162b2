"""What was suggested of customers by appeals that are hidden is suggested no more, and names them no more.

An older version took in anonymous appeals. It only expands: no column changes.
"""

from chassis.migrate import run_scripts

revision = "0039"
down_revision = "0038"

# Of each sign: the appeals that are not hidden, and what it counts then. What is open stands if that is still a sign;
# what a person decided, or what lapsed, keeps its number.
SIGNS = """
WITH signs AS (
    SELECT suggestion.id, suggestion.state, sign.place, sign.reason, counted.*
    FROM risk_suggestions AS suggestion,
        jsonb_array_elements(suggestion.reasons) WITH ORDINALITY AS sign (reason, place),
        LATERAL (
            SELECT bool_or(hidden) AS hides,
                coalesce(jsonb_agg(named.id ORDER BY named.id) FILTER (WHERE NOT hidden), '[]') AS shown,
                coalesce(sum(CASE sign.reason ->> 'signal'
                    WHEN 'reopened_appeals' THEN heard.reopened
                    WHEN 'dissatisfied' THEN heard.dissatisfied
                    ELSE 1 END) FILTER (WHERE NOT hidden), 0) AS count
            FROM jsonb_array_elements_text(sign.reason -> 'appeals') AS named (id)
                LEFT JOIN risk_appeals AS heard ON heard.appeal_id = named.id::uuid
                LEFT JOIN appeals ON appeals.id = named.id::uuid,
                LATERAL (SELECT coalesce(appeals.confidential OR appeals.anonymous, false)) AS its (hidden)
        ) AS counted
), anew AS (
    SELECT id,
        jsonb_agg(reason || jsonb_build_object('appeals', shown) ORDER BY place) AS unnamed,
        jsonb_agg(reason || jsonb_build_object('appeals', shown, 'count', count) ORDER BY place)
            FILTER (WHERE state = 'open' AND count >= (reason ->> 'threshold')::integer) AS standing
    FROM signs GROUP BY id HAVING bool_or(hides)
)
UPDATE risk_suggestions AS its
SET reasons = coalesce(standing, unnamed),
    state = CASE WHEN its.state = 'open' AND standing IS NULL THEN 'lapsed' ELSE its.state END,
    updated_at = now(),
    changed_xid = pg_current_xact_id()::text::bigint
FROM anew WHERE its.id = anew.id;
"""


def upgrade() -> None:
    """Looks at every suggestion once; there are few."""
    run_scripts(SIGNS)
