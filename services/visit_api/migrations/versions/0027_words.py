"""The words of what was raised are sealed by a loop of the service, a moment after it was raised.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0027"
down_revision = "0026"

# What is there is checked by the next revision, which holds nobody up.
WORDS = """
ALTER TABLE appeals
    ADD COLUMN words_sealed bytea,
    ALTER COLUMN summary DROP NOT NULL,
    DROP CONSTRAINT appeals_consultation_has_reason,
    ADD CONSTRAINT appeals_consultation_has_reason CHECK (
        type <> 'consultation' OR reason_not_answered IS NOT NULL OR words_sealed IS NOT NULL) NOT VALID,
    ADD CONSTRAINT appeals_said CHECK ((summary IS NULL) = (words_sealed IS NOT NULL)) NOT VALID;
"""

# The service's role can change no words, neither before nor after; this is all that may be done to them.
ONCE = """
CREATE FUNCTION seal_appeal_words(ids uuid[], sealed bytea[], digests bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE appeals
    SET summary = NULL, reason_not_answered = NULL, words_sealed = new.sealed, content_digest = new.digest
    FROM unnest(ids, sealed, digests) AS new (row, sealed, digest)
    WHERE appeals.id = new.row AND appeals.words_sealed IS NULL
$$;
REVOKE ALL ON FUNCTION seal_appeal_words FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_appeal_words TO %I', current_database() || '_service');
END $$;
"""


def upgrade() -> None:
    """Adds the column, and the one way to fill it; holds the table for a moment."""
    run_scripts(WORDS, ONCE)
