"""Routes, as data: by which channels an audience is told of a kind of event. The ladder names the audience."""
