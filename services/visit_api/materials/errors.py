"""What can go wrong with policy materials."""

from chassis.web.errors import Conflict, FieldError, Words


class MaterialTaken(Conflict):
    """Says no more: the material that has the id may be another unit's."""

    slug = "material-taken"
    title = Words("资料标识已被使用", "Material id already in use")
    detail = Words("标识 {id} 已用于内容不同的资料。", "The id {id} was used for a material with other content.")


class MaterialActRefused(Conflict):
    """An edition is published once, and withdrawn once."""

    slug = "material-act-refused"
    title = Words("资料当前状态不允许此操作", "Not possible in the material's present state")
    detail = Words(
        "资料处于 {state}，不能执行 {act}（规范 {clause}）。",
        "The material is {state}, which does not allow to {act} it (clause {clause}).",
    )


class MaterialExpired(Conflict):
    slug = "material-expired"
    title = Words("资料已过有效期", "The material has expired")
    detail = Words("有效期至 {valid_to}（规范 {clause}）。", "It was valid until {valid_to} (clause {clause}).")


ENDS_BEFORE_IT_BEGINS = FieldError(
    "/valid_to", "before_valid_from", Words("早于生效日期", "Before the first day of its validity")
)
KEPT_BY_ANOTHER = FieldError(
    "/unit_code", "another_units_series", Words("须与所替代版本同属一个单位", "Its series is kept by another unit")
)


def unknown_material(pointer: str) -> FieldError:
    """A material that there is not, or that is not for the caller to name."""
    return FieldError(pointer, "unknown_material", Words("未知的资料", "No such material"))


def not_in_force(pointer: str) -> FieldError:
    """A material that was expired, withdrawn, replaced or not published yet."""
    words = Words(
        "该资料当时未生效、已过期或已撤回（规范 7.2.2）",
        "It was not in force then: expired or withdrawn (clause 7.2.2)",
    )
    return FieldError(pointer, "material_not_in_force", words)
