"""Escalation: the loop that fires timers when they are due."""
