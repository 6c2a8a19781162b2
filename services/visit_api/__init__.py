"""Units, staff, customers, visits, the words of what was raised on them, and the archive."""
