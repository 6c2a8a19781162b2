"""Appeals handled in time: their clocks, who is told when, and every answer given."""
