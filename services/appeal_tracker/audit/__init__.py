"""The self-audit: what must always hold, looked at again and again, and a canary that must sing in time."""
