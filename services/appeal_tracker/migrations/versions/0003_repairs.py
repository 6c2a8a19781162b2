"""What the engine turned out to need besides: visits heard of before their units, the calendar that an appeal keeps.

It only expands: the code of the second revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0003"
down_revision = "0002"

# Which of those heard of so far came before their units nobody knows: whoever hears of a unit next looks at them.
VISITS = """
ALTER TABLE visits ADD COLUMN policy_assumed boolean NOT NULL DEFAULT false;
CREATE INDEX visits_policy_assumed ON visits (unit_code) WHERE policy_assumed;
CREATE INDEX visits_open ON visits (id)
    WHERE archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL;
UPDATE visits v SET policy_assumed = true
WHERE archived_at IS NULL AND cancelled_at IS NULL AND missed_at IS NULL
    AND (window_from IS NOT NULL OR completed_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM clocks c WHERE c.subject_id = v.id AND c.subject_kind = 'visit');
"""

# None where it was opened before: the calendar of its clocks is the one it keeps then.
APPEALS = """
ALTER TABLE appeals ADD COLUMN calendar text;
"""

# Why a job failed. Whoever works at simulations passes by those that did.
JOBS = """
ALTER TABLE recalculations ADD COLUMN failure text;
ALTER TABLE simulations ADD COLUMN failure text;
ALTER TABLE simulations DROP CONSTRAINT simulations_state_check;
ALTER TABLE simulations ADD CONSTRAINT simulations_state_check
    CHECK (state IN ('queued', 'running', 'done', 'failed'));
CREATE INDEX simulations_unfinished ON simulations (requested_at, id) WHERE state IN ('queued', 'running');
"""


def upgrade() -> None:
    """Appeals are locked before visits, as whoever fires timers does, so that the two do not wait for each other."""
    run_scripts(JOBS, APPEALS, VISITS)
