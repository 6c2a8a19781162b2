"""Texts within a provider's bounds: cut where a character ends, or shared out over several sends. Pure."""

from collections.abc import Callable, Iterable
from typing import TypeVar

MORE = "…"
Part = TypeVar("Part")


def cut(text: str, most: int) -> str:
    """`text` in at most `most` bytes of UTF-8, ending with … where something is missing; never inside a character, nor
    between a character and what is written upon it."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    kept = encoded[: max(0, most - len(MORE.encode()))].decode(errors="ignore")
    left = text[len(kept) :]
    while kept and _joins(left[:1], kept[-1]):
        kept, left = kept[:-1], kept[-1] + left
    return (kept.rstrip() + MORE) if most >= len(MORE.encode()) else ""


def share(parts: Iterable[Part], *, most: int, fits: Callable[[list[Part]], bool]) -> list[list[Part]]:
    """`parts` in their order, as few together as needed: at most `most`, and as many as fit; one that fits nowhere is
    alone."""
    groups: list[list[Part]] = []
    for part in parts:
        if groups and len(groups[-1]) < most and fits([*groups[-1], part]):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _joins(sign: str, before: str) -> bool:
    """Whether `sign` would change what stands before it: a combining mark, a variation selector, a joiner."""
    import unicodedata

    joiner = "\u200d"
    return bool(sign) and (
        unicodedata.combining(sign) != 0 or sign == joiner or before == joiner or "\ufe00" <= sign <= "\ufe0f"
    )
