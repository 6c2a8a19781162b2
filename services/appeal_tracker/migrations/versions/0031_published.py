"""What is published stays as it was: the service's role can add to it, and change nothing of it but the marks by which
its lists are followed.

It takes away only what no code uses: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0031"
down_revision = "0030"

# What a newer version or a withdrawal marks as changed, of a calendar that lies over another, and of a pack.
PUBLISHED = """
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON calendar_versions, calendar_days, policies, policy_withdrawals FROM %I', service);
    EXECUTE format('GRANT UPDATE (updated_at, changed_xid) ON calendar_versions, policies TO %I', service);
END
$$;
"""


def upgrade() -> None:
    run_scripts(PUBLISHED)
