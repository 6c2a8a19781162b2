"""Visits as heard of: enough to run the clocks that a policy puts on them."""
