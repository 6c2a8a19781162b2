"""Where a document is wrong: from the decoder's own path to a JSON pointer (RFC 6901)."""

import re

import msgspec


def locate(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a decoder's error into a pointer and what is wrong there: ("/days/3/date", "Invalid RFC3339 date")."""
    fault, _, place = str(error).partition(" - at ")
    path = place[place.rfind("$") + 1 :].rstrip("`")
    return re.sub(r"[.\[]", "/", path).replace("]", ""), fault
