"""Where a document is wrong: from the decoder's own path to a JSON pointer (RFC 6901)."""

import re

import msgspec

_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.+)`")


def locate(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a decoder's error into a pointer and what is wrong there: ("/days/3/date", "Invalid RFC3339 date").

    A field that is missing or unknown is pointed at as if it were there.
    """
    fault, _, place = str(error).partition(" - at ")
    path = place[place.rfind("$") + 1 :].rstrip("`")
    pointer = re.sub(r"[.\[]", "/", path).replace("]", "")
    if field := _FIELD.fullmatch(fault):
        pointer += "/" + field[1].replace("~", "~0").replace("/", "~1")
    return pointer, fault
