"""From where a rule found a fault in a policy to where its pack, as it was written, says so."""

from appeal_tracker.policies.pack import VISITS, Pack, sections


def place(pack: Pack, pointer: str) -> str:
    """Turn a pointer that names a limit by its milestone, `/appeals/complaint/answer/within`, into one that finds it in
    the pack's JSON; what the pack does not write itself is pointed at by the next thing around it that it does."""
    for section, limits in sections(pack):
        milestone, _, field = pointer.removeprefix(f"{section}/").partition("/")
        if not pointer.startswith(f"{section}/") or milestone.isdigit():
            continue
        for index, limit in enumerate(limits):
            if limit.milestone == milestone and getattr(limit, field, None) is not None:
                return f"{section}/{index}/{field}"
        if field == "ladder" and milestone in pack.ladders:
            return f"/ladders/{milestone}"
        written = next((f"/{index}" for index, limit in enumerate(limits) if limit.milestone == milestone), "")
        return f"{section}{written}" if limits or section != VISITS else ""
    if pointer.startswith("/targets/"):
        names = [target.name for target in pack.targets]
        name = pointer.removeprefix("/targets/")
        return f"/targets/{names.index(name)}/at_least" if name in names else ""
    head = pointer.split("/")[1] if pointer else ""
    return pointer if head and getattr(pack, head, None) else ""
