"""Calendars: which civil days are working days, and how a period is counted on them."""
