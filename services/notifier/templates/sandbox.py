"""Templates people write: a small part of Jinja's language, read and filled by its sandbox. Pure.

Names, plain texts, `{% if %}`, comparisons and a few filters are all there is: no attribute, index, call, loop or sum,
so that a template can neither look behind its variables nor make much out of little.
"""

from collections.abc import Iterator, Mapping, Set
from functools import cache, lru_cache
from typing import Any

FILTERS = frozenset({"upper", "lower", "trim", "truncate"})
_NODES = frozenset({"Template", "Output", "TemplateData", "Name", "If", "CondExpr", "Const", "Compare", "Operand"})
_NODES |= {"And", "Or", "Not", "Filter"}


class BadTemplate(ValueError):
    """A template that could fail, or is missing where one is needed; `reason` is a code, `what` names the fault."""

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(f"{reason}: {what}")
        self.reason, self.what = reason, what


def check(template: str, variables: Set[str], whole: Set[str] = frozenset()) -> None:
    """Raises `BadTemplate` unless `template` is well-formed, and names nothing but `variables`, nor has a filter make
    something else of those that stay `whole`."""
    from jinja2 import TemplateSyntaxError

    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError as error:
        raise BadTemplate("syntax", str(error.message)[:100]) from error
    except RecursionError as error:
        raise BadTemplate("syntax", "nested too deep") from error
    for node in _nodes(tree):
        kind = type(node).__name__
        if kind not in _NODES or (kind == "Filter" and node.name not in FILTERS):
            raise BadTemplate("forbidden", getattr(node, "name", None) or kind)
        if kind == "Name" and node.name not in variables:
            raise BadTemplate("unknown_variable", node.name[:100])
        if kind == "Filter" and any(getattr(inner, "name", None) in whole for inner in _nodes(node.node)):
            raise BadTemplate("forbidden", node.name)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """`template` with `values` in their places. Raises whatever filling it raises."""
    return _compiled(template).render(values)  # type: ignore[no-any-return]


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.iter_child_nodes():
        yield from _nodes(inner)


@cache
def _environment() -> Any:
    # 3 MB that a process which writes nothing need not carry.
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


@lru_cache(maxsize=512)
def _compiled(template: str) -> Any:
    return _environment().from_string(template)
