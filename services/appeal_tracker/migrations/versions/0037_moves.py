"""Units number their moves, so that whoever follows what is of them begins anew where one comes into sight or goes.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0037"
down_revision = "0036"

# Whatever puts a unit below another, or closes it. Units are heard of one batch after the other.
MOVED = """
ALTER TABLE units ADD COLUMN moved bigint;
CREATE SEQUENCE unit_moves;
CREATE FUNCTION unit_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.moved := nextval('unit_moves');
    RETURN new;
END
$$;
CREATE TRIGGER units_moved BEFORE UPDATE OF code, parent_code, merged_into ON units FOR EACH ROW
WHEN ((old.code, old.parent_code, old.merged_into) IS DISTINCT FROM (new.code, new.parent_code, new.merged_into))
EXECUTE FUNCTION unit_moved();
"""
# Of one that is heard of before what is of it, and after what is above it, nothing comes into sight. Another brings
# something along, or would go without leaving a number behind. (Nothing is handed to a unit that was not heard of, but
# by a merger: then what merged into it stands below it, with a number. Planned for a code that is rare,
# however many appeals are of few units.)
HEARD = """
CREATE FUNCTION unit_heard() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF new.parent_code IS NOT NULL AND NOT EXISTS (SELECT FROM units WHERE code = new.parent_code)
        OR EXISTS (SELECT FROM appeals WHERE unit_code = new.code)
        OR EXISTS (SELECT FROM absences WHERE unit_code = new.code)
        OR EXISTS (SELECT FROM simulations WHERE unit_code = new.code)
    THEN
        new.moved := nextval('unit_moves');
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER units_heard BEFORE INSERT ON units FOR EACH ROW EXECUTE FUNCTION unit_heard();
"""
# Whoever saw it by way of the unit that it stood below sees something else now, too.
LEFT = """
CREATE FUNCTION unit_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE units SET moved = nextval('unit_moves') WHERE code = old.parent_code;
    RETURN NULL;
END
$$;
CREATE TRIGGER units_left AFTER UPDATE OF parent_code ON units FOR EACH ROW
WHEN (old.parent_code IS DISTINCT FROM new.parent_code) EXECUTE FUNCTION unit_left();
"""


def upgrade() -> None:
    """Makes the number, and the triggers that give it."""
    run_scripts(MOVED, HEARD, LEFT)
