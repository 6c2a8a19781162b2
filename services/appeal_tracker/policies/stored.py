"""Packs as they are stored, be it by a newer version: what this one does not know of them it passes by. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import inspect

from appeal_tracker.policies.inheritance import APPEAL_TYPES
from appeal_tracker.policies.pack import Pack, parse_pack


def stored_pack(body: object) -> Pack:
    """Read a pack that was published before, with all of it that is known here. Whoever uploads one is told of what is
    unknown instead: `parse_pack`. An older one may name no type to call back, which meant every type."""
    its = known(body, inspect.type_info(Pack))
    if isinstance(its, dict) and its.get("callback_for") == []:
        its["callback_for"] = APPEAL_TYPES
    return parse_pack(its)


def known(document: object, form: inspect.Type) -> object:
    """Return what a form knows of a document: its objects without their unknown fields, however deep they lie."""
    match form:
        case inspect.StructType() if isinstance(document, Mapping):
            fields = {field.encode_name: field.type for field in form.fields}
            return {name: known(value, fields[name]) for name, value in document.items() if name in fields}
        case inspect.DictType() if isinstance(document, Mapping):
            return {key: known(value, form.value_type) for key, value in document.items()}
        case inspect.VarTupleType() if isinstance(document, Sequence) and not isinstance(document, str):
            return [known(each, form.item_type) for each in document]
        case inspect.UnionType():
            # At most one of them takes what is written as this is.
            for each in form.types:
                document = known(document, each)
    return document
