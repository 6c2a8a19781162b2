"""Appeals: each from its opening to its end, one act at a time."""
