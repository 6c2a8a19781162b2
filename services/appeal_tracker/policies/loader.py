"""The packs that come with the package, one YAML file each."""

from collections.abc import Hashable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.pack import Pack, PolicyError, parse_pack
from appeal_tracker.policies.policy import Policy

FLOOR = "t-sdpea"


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, where plain YAML keeps the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise PolicyError("", f"line {node.value[index][0].start_mark.line + 1}: {key} is given twice")
        return super().construct_mapping(node, deep)


def read_pack(text: str) -> Pack:
    """Read a pack from YAML; PolicyError says where it is wrong."""
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise PolicyError("", f"not YAML: {error}") from None
    return parse_pack(document)


@cache
def packaged_packs() -> dict[str, Pack]:
    """Return every pack that comes with the package, by id."""
    folder = files("appeal_tracker.policies")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    packs = [read_pack((folder / name).read_text(encoding="utf-8")) for name in names]
    return {pack.id: pack for pack in packs}


@cache
def packaged_policies() -> dict[str, Policy]:
    """Return the policy of every packaged pack, by id; `t-sdpea` is the floor that the others build on."""
    packs = packaged_packs()
    return {pack.id: resolve(pack, packs) for pack in packs.values()}
