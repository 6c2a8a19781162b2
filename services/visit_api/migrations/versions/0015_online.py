"""Service on the web: accounts, groups, what is asked there, and the policy posts that were approved."""

from chassis.migrate import run_scripts

revision = "0015"
down_revision = "0014"

_CHANGED = "updated_at timestamptz NOT NULL, changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"
_PLATFORMS = "platform IN ('wechat', 'qq', 'sgcc_app', 'mail', 'other')"

ACCOUNTS = f"""
CREATE TABLE online_accounts (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    staff_no text NOT NULL REFERENCES staff (staff_no),
    platform text NOT NULL,
    handle text NOT NULL,
    post text NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT online_accounts_platform_known CHECK ({_PLATFORMS})
);
CREATE UNIQUE INDEX online_accounts_one_in_use ON online_accounts (platform, handle) WHERE active;
CREATE INDEX online_accounts_staff_no ON online_accounts (staff_no);
CREATE INDEX online_accounts_unit_code ON online_accounts (unit_code);
CREATE INDEX online_accounts_feed ON online_accounts (changed_xid, id);
"""

GROUPS = f"""
CREATE TABLE online_groups (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    platform text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    customer_ids uuid[] NOT NULL,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT online_groups_platform_known CHECK ({_PLATFORMS}),
    CONSTRAINT online_groups_kind_known CHECK (kind IN ('group', 'direct'))
);
CREATE INDEX online_groups_unit_code ON online_groups (unit_code);
CREATE INDEX online_groups_feed ON online_groups (changed_xid, id);

CREATE TABLE online_memberships (
    id uuid PRIMARY KEY,
    group_id uuid NOT NULL REFERENCES online_groups (id),
    account_id uuid NOT NULL REFERENCES online_accounts (id),
    joined_at timestamptz NOT NULL,
    introduced_at timestamptz,
    left_at timestamptz,
    {_CHANGED}
);
CREATE UNIQUE INDEX online_memberships_one_at_a_time ON online_memberships (group_id, account_id)
    WHERE left_at IS NULL;
CREATE INDEX online_memberships_group_id ON online_memberships (group_id, id);
CREATE INDEX online_memberships_feed ON online_memberships (changed_xid, id);
"""

INQUIRIES = f"""
CREATE TABLE online_inquiries (
    id uuid PRIMARY KEY,
    group_id uuid NOT NULL REFERENCES online_groups (id),
    unit_code text NOT NULL,
    customer_id uuid REFERENCES customers (id),
    visit_id uuid REFERENCES visits (id),
    question text NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    answer text,
    answered_at timestamptz,
    answered_by text,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT online_inquiries_answer_whole CHECK ((answered_at IS NULL) = (answer IS NULL))
);
CREATE INDEX online_inquiries_group_id ON online_inquiries (group_id, id);
CREATE INDEX online_inquiries_unit_code ON online_inquiries (unit_code, received_at);
CREATE INDEX online_inquiries_visit_id ON online_inquiries (visit_id);
CREATE INDEX online_inquiries_feed ON online_inquiries (changed_xid, id);
"""

POSTS = f"""
CREATE TABLE policy_posts (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    title text NOT NULL,
    text text NOT NULL,
    material_id uuid REFERENCES materials (id),
    group_ids uuid[] NOT NULL,
    state text NOT NULL,
    drafted_by text NOT NULL,
    submitted_by text,
    submitted_at timestamptz,
    decided_by text,
    decided_at timestamptz,
    reason text,
    published_by text,
    published_at timestamptz,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT policy_posts_state_known
        CHECK (state IN ('draft', 'submitted', 'approved', 'returned', 'published')),
    CONSTRAINT policy_posts_approved_by_another
        CHECK (state NOT IN ('approved', 'published') OR decided_by NOT IN (drafted_by, submitted_by))
);
CREATE INDEX policy_posts_unit_code ON policy_posts (unit_code);
CREATE INDEX policy_posts_feed ON policy_posts (changed_xid, id);
"""

# What was approved is what is published; what a customer asked stays as it was said.
IMMUTABLE = """
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON policy_posts, online_inquiries FROM %I', service);
    EXECUTE format('GRANT UPDATE (state, submitted_by, submitted_at, decided_by, decided_at, reason, published_by, '
                   'published_at, updated_at, changed_xid) ON policy_posts TO %I', service);
    EXECUTE format('GRANT UPDATE (answer, answered_at, answered_by, updated_at, changed_xid) '
                   'ON online_inquiries TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes the tables."""
    run_scripts(ACCOUNTS, GROUPS, INQUIRIES, POSTS, IMMUTABLE)
