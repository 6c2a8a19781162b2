"""Statistics: how the appeals of a period were handled, by unit, type and day, week or month."""
