"""No step names a hidden appeal, and no measure one beside its visit, whoever writes it: code of before anonymous ones
were hidden does, and may run for a while yet.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0044"
down_revision = "0043"

UNNAMED = """
CREATE FUNCTION not_hidden(appeal_ids jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(named.id ORDER BY place), '[]')
    FROM jsonb_array_elements_text(appeal_ids) WITH ORDINALITY AS named (id, place)
    WHERE NOT EXISTS (SELECT FROM appeals WHERE appeals.id = named.id::uuid AND (confidential OR anonymous))
$$;
CREATE FUNCTION unname_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.content := jsonb_set(new.content, '{appeal_ids}', not_hidden(new.content -> 'appeal_ids'));
    RETURN new;
END
$$;
CREATE TRIGGER steps_unnamed BEFORE INSERT ON steps FOR EACH ROW
WHEN (new.kind = 'appeals') EXECUTE FUNCTION unname_in_step();
CREATE FUNCTION unname_in_measure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM appeals WHERE id = new.appeal_id AND (confidential OR anonymous)) THEN
        new.visit_id := NULL;
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER measures_unnamed BEFORE INSERT ON measures FOR EACH ROW
WHEN (new.appeal_id IS NOT NULL AND new.visit_id IS NOT NULL) EXECUTE FUNCTION unname_in_measure();
"""


def upgrade() -> None:
    """Makes the triggers; holds both tables for a moment."""
    run_scripts(UNNAMED)
