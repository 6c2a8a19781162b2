"""What was prepared for a visit, why it was called off or handed over, and names of files are sealed.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0037"
down_revision = "0036"

# What is there is checked by the next revision, which holds nobody up.
TEXTS = """
ALTER TABLE visits ADD COLUMN preparation_sealed bytea, ADD COLUMN reason_sealed bytea;
ALTER TABLE visit_hand_overs
    ADD COLUMN reason_sealed bytea,
    ALTER COLUMN reason DROP NOT NULL,
    ADD CONSTRAINT visit_hand_overs_explained CHECK (reason IS NOT NULL OR reason_sealed IS NOT NULL) NOT VALID;
ALTER TABLE staff_hand_overs
    ADD COLUMN reason_sealed bytea,
    ALTER COLUMN reason DROP NOT NULL,
    ADD CONSTRAINT staff_hand_overs_explained CHECK (reason IS NOT NULL OR reason_sealed IS NOT NULL) NOT VALID;
ALTER TABLE attachments
    ADD COLUMN name_sealed bytea,
    ALTER COLUMN name DROP NOT NULL,
    ADD CONSTRAINT attachments_named CHECK (name IS NOT NULL OR name_sealed IS NOT NULL) NOT VALID;
"""

# Of what is written once the service's role can change no words; this is all that may be done to them, and once. What
# changes is sealed as it was read: by then it may be another version, and is found again.
ONCE = """
CREATE FUNCTION seal_visits(ids uuid[], prepared bytea[], outlines text[], reasons bytea[], versions integer[])
RETURNS void LANGUAGE sql AS $$
    UPDATE visits AS its
    SET preparation_sealed = coalesce(new.prepared, its.preparation_sealed),
        preparation = CASE WHEN new.prepared IS NULL THEN its.preparation ELSE new.outline::jsonb END,
        reason_sealed = coalesce(new.reason, its.reason_sealed),
        reason = CASE WHEN new.reason IS NULL THEN its.reason END
    FROM unnest(ids, prepared, outlines, reasons, versions) AS new (row, prepared, outline, reason, version)
    WHERE its.id = new.row AND its.version = new.version
        AND (its.preparation_sealed IS NULL OR new.prepared IS NULL)
        AND (its.reason_sealed IS NULL OR new.reason IS NULL)
$$;
CREATE FUNCTION seal_attachments(ids uuid[], sealed bytea[], digests bytea[], versions integer[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE attachments AS its SET name_sealed = new.sealed, name = NULL, content_digest = new.digest
    FROM unnest(ids, sealed, digests, versions) AS new (row, sealed, digest, version)
    WHERE its.id = new.row AND its.version = new.version AND its.name_sealed IS NULL
$$;
CREATE FUNCTION seal_visit_hand_overs(ids uuid[], sealed bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE visit_hand_overs SET reason_sealed = new.sealed, reason = NULL
    FROM unnest(ids, sealed) AS new (row, sealed)
    WHERE visit_hand_overs.id = new.row AND visit_hand_overs.reason_sealed IS NULL
$$;
CREATE FUNCTION seal_staff_hand_overs(ids uuid[], sealed bytea[], digests bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE staff_hand_overs SET reason_sealed = new.sealed, reason = NULL, content_digest = new.digest
    FROM unnest(ids, sealed, digests) AS new (row, sealed, digest)
    WHERE staff_hand_overs.id = new.row AND staff_hand_overs.reason_sealed IS NULL
$$;
REVOKE ALL ON FUNCTION seal_visit_hand_overs, seal_staff_hand_overs FROM PUBLIC;
DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_visit_hand_overs, seal_staff_hand_overs TO %I',
                   current_database() || '_service');
END
$$;
"""


def upgrade() -> None:
    """Adds the columns, and the one way to fill them; holds each table for a moment."""
    run_scripts(TEXTS, ONCE)
