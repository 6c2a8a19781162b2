"""What people say in the course of a visit is sealed: in steps and checklists, about appointments and calls, online.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0029"
down_revision = "0028"

# What is there is checked by the next revision, which holds nobody up.
TEXTS = """
ALTER TABLE steps ADD COLUMN words_sealed bytea;
ALTER TABLE appointments ADD COLUMN words_sealed bytea;
ALTER TABLE checklist_answers
    ADD COLUMN words_sealed bytea,
    DROP CONSTRAINT checklist_answers_no_has_reason,
    ADD CONSTRAINT checklist_answers_no_has_reason CHECK (
        answer <> 'no' OR note IS NOT NULL OR words_sealed IS NOT NULL) NOT VALID;
ALTER TABLE online_inquiries
    ADD COLUMN question_sealed bytea,
    ADD COLUMN answer_sealed bytea,
    ALTER COLUMN question DROP NOT NULL,
    DROP CONSTRAINT online_inquiries_answer_whole,
    ADD CONSTRAINT online_inquiries_answer_whole CHECK (
        (answered_at IS NULL) = (answer IS NULL AND answer_sealed IS NULL)) NOT VALID,
    ADD CONSTRAINT online_inquiries_asked CHECK ((question IS NULL) = (question_sealed IS NOT NULL)) NOT VALID;
ALTER TABLE obligations
    ADD COLUMN note_sealed bytea,
    ADD COLUMN words_sealed bytea,
    DROP CONSTRAINT obligations_discharged_whole,
    ADD CONSTRAINT obligations_discharged_whole CHECK ((state = 'done') = (discharged_at IS NOT NULL
        AND discharged_by IS NOT NULL AND how IS NOT NULL
        AND (words IS NOT NULL OR words_sealed IS NOT NULL))) NOT VALID;
"""

# The service's role can change no words, neither before nor after; this is all that may be done to them, and once. Of a
# step that has words nothing can be said in place of what is taken away; one that has none stays as it is.
ONCE = """
CREATE FUNCTION seal_steps(ids uuid[], sealed bytea[], contents text[], digests bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE steps SET words_sealed = new.sealed, content = new.content::jsonb, content_digest = new.digest
    FROM unnest(ids, sealed, contents, digests) AS new (row, sealed, content, digest)
    WHERE steps.id = new.row AND steps.words_sealed IS NULL AND steps.content @> new.content::jsonb
        AND jsonb_path_exists(steps.content, '$.** ? (exists(@.to) || exists(@.description) || exists(@.note)
            || exists(@.question) || exists(@.answer) || exists(@.reason_not_answered) || exists(@.proposal))')
$$;
CREATE FUNCTION seal_checklist_answers(ids uuid[], sealed bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE checklist_answers SET words_sealed = new.sealed, note = NULL
    FROM unnest(ids, sealed) AS new (row, sealed)
    WHERE checklist_answers.id = new.row AND checklist_answers.words_sealed IS NULL
$$;
CREATE FUNCTION seal_appointments(ids uuid[], sealed bytea[], digests bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE appointments
    SET words_sealed = new.sealed, purpose = NULL, place = NULL, reason = NULL, content_digest = new.digest
    FROM unnest(ids, sealed, digests) AS new (row, sealed, digest)
    WHERE appointments.id = new.row AND appointments.words_sealed IS NULL
$$;
CREATE FUNCTION seal_online_inquiries(ids uuid[], questions bytea[], answers bytea[], digests bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE online_inquiries AS its
    SET question_sealed = coalesce(its.question_sealed, new.question),
        question = CASE WHEN new.question IS NULL THEN its.question END,
        answer_sealed = coalesce(its.answer_sealed, new.answer),
        answer = CASE WHEN new.answer IS NULL THEN its.answer END,
        content_digest = new.digest
    FROM unnest(ids, questions, answers, digests) AS new (row, question, answer, digest)
    WHERE its.id = new.row AND (its.question_sealed IS NULL OR new.question IS NULL)
        AND (its.answer_sealed IS NULL OR new.answer IS NULL)
$$;
CREATE FUNCTION seal_obligations(ids uuid[], notes bytea[], said bytea[], digests bytea[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE obligations AS its
    SET note_sealed = coalesce(its.note_sealed, new.note),
        told = CASE WHEN new.note IS NULL THEN its.told END,
        note = CASE WHEN new.note IS NULL THEN its.note END,
        words_sealed = coalesce(its.words_sealed, new.words),
        words = CASE WHEN new.words IS NULL THEN its.words END,
        content_digest = new.digest
    FROM unnest(ids, notes, said, digests) AS new (row, note, words, digest)
    WHERE its.id = new.row AND (its.note_sealed IS NULL OR new.note IS NULL)
        AND (its.words_sealed IS NULL OR new.words IS NULL)
$$;
REVOKE ALL ON FUNCTION seal_steps, seal_checklist_answers, seal_appointments, seal_online_inquiries FROM PUBLIC;
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_steps, seal_checklist_answers, seal_appointments, '
                   'seal_online_inquiries TO %I', service);
    EXECUTE format('GRANT UPDATE (answer_sealed) ON online_inquiries TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Adds the columns, and the one way to fill them; holds each table for a moment."""
    run_scripts(TEXTS, ONCE)
