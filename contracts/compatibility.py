"""The gate before `main`: within a version, an event may only gain optional fields.

Topics keep old records and services are upgraded one by one, so old hearers read new records and new hearers old ones.
Every other change of a released event is therefore refused, a widened type as well as a narrowed one; declare the next
version (`appeal.raised.v2`) beside it instead.

`python -m contracts.compatibility` compares the event classes with `released/`, the committed schemas of what was
promised: a clean clone has no other base to compare with. `--release` adds what is new to that promise, and refuses
the rest; what was not released yet may still change. An event that nobody hears any more is taken back by deleting its
file there. `--against` compares with the schemas of a git revision or of a folder. With no base, everything passes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.generate import SCHEMAS, Schema, files, schemas

RELEASED = SCHEMAS.with_name("released")
PLACE = ("x-topic", "x-key", "x-subject")
WORDS = ("$schema", "$defs", "title", "description", "examples")  # they bind nobody


class UnknownBase(Exception):
    """What was named to compare with is neither a folder nor a git revision."""


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What would break between holders of two schemas of one event, a sentence each; none if they get along."""
    moved = [f"{name[2:]} changed from {old.get(name)} to {new.get(name)}" for name in PLACE if _differ(old, new, name)]
    return moved + list(_changes("payload", old, new, (old, new)))


def refusals(base: dict[str, Schema], current: dict[str, Schema]) -> list[str]:
    """Every breaking change since `base`, event by event; a new event breaks nothing, a dropped one does."""
    return [
        f"{event}: {change}"
        for event, old in sorted(base.items())
        for change in (breaking_changes(old, current[event]) if event in current else ["the event is gone"])
    ]


def _changes(path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    if "properties" in old and "properties" in new:
        yield from _object_changes(path, old, new, roots)
    elif "items" in old and "items" in new:
        yield from _changes(f"{path}[]", old["items"], new["items"], roots)
    elif len(old.get("anyOf", ())) == len(new.get("anyOf", ())) > 0:
        for one, other in zip(old["anyOf"], new["anyOf"], strict=True):
            yield from _changes(path, one, other, roots)
    elif _bare(old) != _bare(new):
        yield f"{path} changed from {_shown(old)} to {_shown(new)}"
        return
    for rule in sorted((old.keys() | new.keys()) - {"properties", "required", "items", "anyOf", *PLACE, *WORDS}):
        if _differ(old, new, rule):
            yield f"{path}: {rule} changed from {_shown(old.get(rule))} to {_shown(new.get(rule))}"


def _object_changes(path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema]) -> Iterator[str]:
    before, after = old["properties"], new["properties"]
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{path}.{name} was removed"
        else:
            yield from _changes(f"{path}.{name}", before[name], after[name], roots)
    for name in after:
        if name in needs - needed:
            yield f"{path}.{name} is required now" if name in before else f"{path}.{name} is new and required"
        elif name in needed - needs:
            yield f"{path}.{name} may be missing now"


def _differ(old: Schema, new: Schema, rule: str) -> bool:
    return bool(_bare(old.get(rule)) != _bare(new.get(rule)))


def _resolved(shape: Schema, root: Schema) -> Schema:
    name = shape.get("$ref", "").removeprefix("#/$defs/")
    return root["$defs"][name] if name else shape


def _bare(shape: Any) -> Any:
    """The shape without its words, so that a better description is no change."""
    if isinstance(shape, dict):
        return {name: _bare(rule) for name, rule in shape.items() if name not in WORDS}
    return [_bare(item) for item in shape] if isinstance(shape, list) else shape


def _shown(shape: Any) -> str:
    return json.dumps(_bare(shape), ensure_ascii=False)


def in_folder(folder: Path) -> dict[str, Schema]:
    """The schemas in a folder by event type; none if it does not exist."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def at_revision(revision: str, root: Path) -> dict[str, Schema]:
    """The schemas committed under `root` at a git revision; raises UnknownBase if there is no such revision."""
    names = _git(root, "ls-tree", "--name-only", revision, "contracts/schemas/")
    return {Path(name).stem: json.loads(_git(root, "show", f"{revision}:./{name}")) for name in names.splitlines()}


def _git(root: Path, *arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True, text=True).stdout  # noqa: S603, S607
    except subprocess.CalledProcessError as error:
        raise UnknownBase(error.stderr.strip()) from error
    except OSError as error:
        raise UnknownBase(f"git does not run: {error}") from error


def _base(against: str | None) -> dict[str, Schema]:
    if against is None or Path(against).is_dir():
        return in_folder(Path(against or RELEASED))
    return at_revision(against, SCHEMAS.parent.parent)


def _release() -> None:
    RELEASED.mkdir(exist_ok=True)
    for path, text in files().items():
        if path.parent == SCHEMAS:
            (RELEASED / path.name).write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    """Compare, and print each breaking change; 0: none, 1: some, 2: the base is unknown."""
    parser = argparse.ArgumentParser(prog="python -m contracts.compatibility", description=__doc__)
    only_one = parser.add_mutually_exclusive_group()
    only_one.add_argument("--against", metavar="REVISION|FOLDER", help="another base than contracts/released/")
    only_one.add_argument("--release", action="store_true", help="promise the present schemas, if they break nothing")
    options = parser.parse_args(arguments)
    try:
        base = _base(options.against)
    except UnknownBase as error:
        sys.stderr.write(f"cannot compare with {options.against}: {error}\n")
        return 2
    if refused := refusals(base, schemas()):
        sys.stderr.write("\n".join([*refused, "Declare the next version beside the released one instead.", ""]))
        return 1
    if options.release:
        _release()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
