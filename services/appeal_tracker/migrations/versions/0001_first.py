"""The first tables: directory, calendars, policies, clocks, appeals, callbacks, and the messaging beside them."""

from chassis.messaging.schema import MESSAGING
from chassis.migrate import run_scripts
from chassis.web.idempotency import DDL as IDEMPOTENCY

revision = "0001"
down_revision = None

DIRECTORY = """
CREATE TABLE units (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    parent_code text,
    version bigint NOT NULL
);
CREATE INDEX units_code ON units (code);
CREATE INDEX units_parent_code ON units (parent_code);

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL,
    unit_code text NOT NULL,
    roles text[] NOT NULL,
    active boolean NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX staff_staff_no ON staff (staff_no);
"""

CALENDARS = """
CREATE TABLE calendar_versions (
    calendar text NOT NULL,
    version integer NOT NULL,
    extends text,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (calendar, version)
);
CREATE TABLE calendar_days (
    calendar text NOT NULL,
    version integer NOT NULL,
    date date NOT NULL,
    working boolean NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    PRIMARY KEY (calendar, version, date),
    CONSTRAINT calendar_days_calendar_version_fkey
        FOREIGN KEY (calendar, version) REFERENCES calendar_versions (calendar, version)
);
"""

POLICIES = """
CREATE TABLE policies (
    id text NOT NULL,
    version integer NOT NULL,
    effective_from date,
    extends text,
    extends_version integer,
    body jsonb NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version)
);
CREATE TABLE policy_assignments (
    unit_code text NOT NULL,
    effective_from date NOT NULL,
    policy text NOT NULL,
    assigned_by text NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (unit_code, effective_from)
);
"""

# No foreign keys between appeals, clocks, timers and timeline: each is written together with what it hangs on, nothing
# is ever deleted, and a check per row would cost a third of the intake.
CLOCKS = """
CREATE TABLE clocks (
    id uuid PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestone text NOT NULL,
    appeal_type text,
    started_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    policy text NOT NULL,
    calendar text NOT NULL,
    provisional boolean NOT NULL,
    state text NOT NULL
        CONSTRAINT clocks_state_check CHECK (state IN ('running', 'held', 'met', 'breached', 'cancelled')),
    stopped_at timestamptz,
    breached_at timestamptz,
    CONSTRAINT clocks_subject_id_subject_kind_round_milestone_key UNIQUE (subject_id, subject_kind, round, milestone)
);
CREATE INDEX clocks_running ON clocks (due_at) WHERE state = 'running';

CREATE TABLE timers (
    clock_id uuid NOT NULL,
    step text NOT NULL,
    phase text NOT NULL,
    tell text[] NOT NULL,
    fire_at timestamptz NOT NULL,
    state text NOT NULL CONSTRAINT timers_state_check CHECK (state IN ('pending', 'fired', 'cancelled')),
    fired_at timestamptz,
    late boolean,
    PRIMARY KEY (clock_id, step)
);
CREATE INDEX timers_pending ON timers (fire_at) WHERE state = 'pending';
"""

APPEALS = """
CREATE TABLE appeals (
    id uuid PRIMARY KEY,
    appeal_no text NOT NULL,
    visit_id uuid,
    customer_id uuid,
    unit_code text NOT NULL,
    handling_unit_code text NOT NULL,
    handler text,
    first_contact text,
    type text NOT NULL,
    state text NOT NULL CONSTRAINT appeals_state_check
        CHECK (state IN ('open', 'contacted', 'answered', 'called_back', 'held', 'closed')),
    round integer NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    confidential boolean NOT NULL,
    anonymous boolean NOT NULL,
    policy text NOT NULL,
    no_clock_reason text,
    outcome text,
    closed_at timestamptz,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX appeals_feed ON appeals (changed_xid, id);
CREATE INDEX appeals_unit_code ON appeals (unit_code, id);
CREATE INDEX appeals_handled_elsewhere ON appeals (handling_unit_code, id) WHERE handling_unit_code <> unit_code;

CREATE TABLE contacts (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL CONSTRAINT contacts_appeal_id_fkey REFERENCES appeals (id),
    round integer NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by text NOT NULL,
    channel text NOT NULL,
    result text NOT NULL,
    counts boolean NOT NULL
);
CREATE INDEX contacts_appeal_id ON contacts (appeal_id);

CREATE TABLE answers (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL CONSTRAINT answers_appeal_id_fkey REFERENCES appeals (id),
    round integer NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by text NOT NULL,
    content text NOT NULL
);
CREATE INDEX answers_appeal_id ON answers (appeal_id);

CREATE TABLE timeline (
    appeal_id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    kind text NOT NULL,
    actor text,
    data jsonb NOT NULL,
    PRIMARY KEY (appeal_id, seq)
);
"""

CALLBACKS = """
CREATE TABLE callbacks (
    id uuid PRIMARY KEY,
    appeal_id uuid NOT NULL CONSTRAINT callbacks_appeal_id_fkey REFERENCES appeals (id),
    round integer NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by text NOT NULL,
    result text NOT NULL,
    satisfaction text,
    opinion text,
    failure_reason text,
    agreed_at timestamptz,
    quiet_hours boolean NOT NULL
);
CREATE INDEX callbacks_appeal_id ON callbacks (appeal_id);
"""


def upgrade() -> None:
    """What follows may not be deleted by the service's role: its rows are the record."""
    run_scripts(MESSAGING, IDEMPOTENCY, DIRECTORY, CALENDARS, POLICIES, CLOCKS, APPEALS, CALLBACKS)
