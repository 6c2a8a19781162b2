"""The one way in which the local stack says no."""


class Refused(Exception):
    """The stack cannot go on; the text is one sentence for the person at the terminal, saying what to do."""
