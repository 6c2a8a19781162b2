"""What pydantic finds wrong, said in both languages with a pointer to the field and without repeating the value."""

from collections.abc import Iterable, Mapping
from typing import Any

from chassis.web.errors import FieldError, Place, Words

_SAYINGS: dict[str, str] = {
    "missing": "缺少必填字段",
    "extra_forbidden": "不允许的字段",
    "string_type": "应为字符串",
    "string_unicode": "含有无效的 Unicode 字符",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不符合要求",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "整数超出范围",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "uuid_type": "应为 UUID",
    "uuid_parsing": "应为 UUID",
    "date_type": "应为日期（YYYY-MM-DD）",
    "date_parsing": "应为日期（YYYY-MM-DD）",
    "date_from_datetime_parsing": "应为日期（YYYY-MM-DD）",
    "enum": "应为以下之一：{expected}",
    "literal_error": "应为以下之一：{expected}",
    "union_tag_invalid": "应为以下之一：{expected_tags}",
    "list_type": "应为数组",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "none_required": "应为 null",
}


def field_error(error: Mapping[str, Any]) -> FieldError:
    """One of pydantic's errors, as FastAPI reports it (`loc` begins with the place), for the caller."""
    place, *path = error["loc"]
    code = str(error["type"])
    context = error.get("ctx") or {}
    chinese = context.get("zh") or _SAYINGS.get(code)
    english = str(error["msg"])
    words = Words(_fill(chinese, context) if chinese else _literal(english), _literal(english))
    return FieldError(pointer(path), code, words, _place(place))


def pointer(path: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of `path`; the whole document is the empty pointer."""
    return "".join(f"/{_escape(str(part))}" for part in path)


def _escape(part: str) -> str:
    # A caller may send a key of any length; the pointer repeats at most its beginning.
    return part[:100].replace("~", "~0").replace("/", "~1")


def _place(name: Any) -> Place:
    return name if name in ("body", "query", "header") else "body"


def _choice(name: str, value: Any) -> Any:
    # Pydantic fills in lists of its own, in English: 'a', 'b' or 'c'.
    return value.replace(", ", "、").replace(" or ", " 或 ") if name in ("expected", "expected_tags") else value


def _fill(template: str, context: Mapping[str, Any]) -> str:
    return _literal(template.format_map({name: _choice(name, value) for name, value in context.items()}))


def _literal(text: str) -> str:
    # Words are templates; what is already filled in must survive being filled again.
    return text.replace("{", "{{").replace("}", "}}")
