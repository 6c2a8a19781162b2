"""Explanations: why a deadline is where it is and what became of it, for programs and as a page to be printed."""
