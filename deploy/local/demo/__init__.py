"""`make demo`: the whole life of one complaint on a stack of its own, under a clock that is moved."""
