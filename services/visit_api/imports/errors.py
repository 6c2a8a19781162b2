"""What can be wrong with a file as a whole; what is wrong with a line of it is a fault of that line."""

from chassis.web.errors import FieldError, Unprocessable, UnsupportedMediaType, Words


class UnsupportedExport(UnsupportedMediaType):
    slug = "unsupported-export"
    title = Words("不支持的文件格式或编码", "Unsupported format or encoding")
    detail = Words(
        "文件须为 CSV 或 NDJSON，编码须为 UTF-8 或 GB18030。", "A file is CSV or NDJSON, written in UTF-8 or GB18030."
    )


def _refused(code: str, zh: str, en: str) -> Unprocessable:
    return Unprocessable(FieldError("", code, Words(zh, en)))


def empty() -> Unprocessable:
    """There are no bytes, or nothing after the head."""
    return _refused("empty", "文件没有内容", "There is nothing in the file")


def unreadable() -> Unprocessable:
    """The bytes are neither UTF-8 nor GB18030."""
    return _refused("bad_encoding", "内容既不是 UTF-8 也不是 GB18030", "Written neither in UTF-8 nor in GB18030")


def bad_head() -> Unprocessable:
    """The first line of a CSV is no head."""
    return _refused("bad_head", "首行须为各列的名称，不得重复", "The first line must name the columns, each once")


def unknown_source() -> Unprocessable:
    """No one system names its columns so."""
    return _refused("unknown_source", "无法从列名识别来源系统", "No one system is told by these columns")


def columns_missing(columns: list[str]) -> Unprocessable:
    """Columns that every line of that system has."""
    names = ", ".join(columns)
    return _refused("columns_missing", f"缺少列：{names}", f"Columns are missing: {names}")
