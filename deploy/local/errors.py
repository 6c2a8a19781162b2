"""The one way in which the local stack says no."""


class Refused(Exception):
    """The stack cannot go on; the text is one sentence for the person at the terminal, saying what to do."""


def explain(error: Refused | OSError) -> str:
    """The sentence for the terminal."""
    if isinstance(error, Refused):
        return str(error)
    named = f"{error.filename}: " if error.filename else ""
    return f"This cannot be done here: {named}{error.strerror or error}."
