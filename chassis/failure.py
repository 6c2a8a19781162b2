"""Why a job failed, as it is stored and shown: the kind of the error and its first line. The log tells the rest."""

_LONGEST = 500  # characters


def reason(error: BaseException) -> str:
    """The reason; statements and their parameters, which follow in a database's error, are not in it."""
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}".removesuffix(": ")[:_LONGEST]
