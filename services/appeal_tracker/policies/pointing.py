"""From where a rule found a fault in a policy to where its pack, as it was written, says so."""

import re

from appeal_tracker.policies.pack import Pack, sections

_OF_A_LIMIT = re.compile(r"(?P<section>/appeals/\w+|/visits)/(?P<milestone>[a-z]\w*)/?(?P<field>\w*)")


def place(pack: Pack, pointer: str) -> str:
    """Turn a pointer that names a limit by its milestone, `/appeals/complaint/answer/within`, into one that finds it in
    the pack's JSON; what the pack does not write itself is pointed at by the next thing around it that it does."""
    if limit := _OF_A_LIMIT.fullmatch(pointer):
        return _limit(pack, *limit.groups())
    head, _, name = pointer.removeprefix("/").partition("/")
    if head == "targets":
        names = [target.name for target in pack.targets]
        return f"/targets/{names.index(name)}/at_least" if name in names else ""
    if head == "callback_for" and pack.callback_for is None:
        return "/callback" if pack.callback else ""
    return pointer if getattr(pack, head, pointer) else ""


def _limit(pack: Pack, section: str, milestone: str, field: str) -> str:
    limits = dict(sections(pack)).get(section, ())
    index = next((index for index, limit in enumerate(limits) if limit.milestone == milestone), None)
    if index is not None and getattr(limits[index], field, None) is not None:
        return f"{section}/{index}/{field}"
    if field == "ladder" and milestone in pack.ladders:
        return f"/ladders/{milestone}"
    if index is not None:
        return f"{section}/{index}"
    return section if limits else ""
