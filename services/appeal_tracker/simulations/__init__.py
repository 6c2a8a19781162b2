"""Simulations: the past, run against another policy or calendar; who would have breached, against what happened."""
