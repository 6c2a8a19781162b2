"""Recalculations: what is open is brought to a new calendar or another policy, by jobs that survive a kill."""
