"""What a caller can be told has gone wrong about recalculations."""

from collections.abc import Collection

from chassis.web.errors import FieldError, NotFound, Unprocessable, Words


class RecalculationNotFound(NotFound):
    slug = "recalculation-not-found"
    title = Words("重算任务不存在", "No such recalculation")


class NotOfThisCause(Unprocessable):
    """Each cause asks for its own fields, and takes no others."""

    slug = "not-of-this-cause"
    title = Words("字段与重算原因不符", "These are not the fields of this cause")

    def __init__(self, missing: Collection[str], extra: Collection[str]) -> None:
        lacks, has = Words("缺少必填字段", "Field required"), Words("不允许的字段", "Not a field of this cause")
        super().__init__(
            *(FieldError(f"/{name}", "missing", lacks) for name in sorted(missing)),
            *(FieldError(f"/{name}", "extra_forbidden", has) for name in sorted(extra)),
        )


class UnknownUnit(Unprocessable):
    """Also a unit that the caller does not see."""

    slug = "unknown-unit"
    title = Words("未知的单位", "Unknown unit")

    def __init__(self) -> None:
        super().__init__(FieldError("/unit_code", "unknown_unit", self.title))


class UnknownVersion(Unprocessable):
    slug = "unknown-policy-version"
    title = Words("策略没有该版本", "The policy has no such version")

    def __init__(self, policy: str, version: int) -> None:
        super().__init__(FieldError("/version", "unknown_version", self.title), policy=policy, version=version)


class UnknownTarget(Unprocessable):
    slug = "unknown-target-policy"
    title = Words("未知的目标策略", "Nothing is brought to a policy that does not exist")

    def __init__(self, policy: str) -> None:
        super().__init__(FieldError("/to", "unknown_policy", self.title), policy=policy)


class TargetWithdrawn(Unprocessable):
    slug = "target-policy-withdrawn"
    title = Words("不能改用已撤回的策略", "Nothing is brought to a pack that is withdrawn")

    def __init__(self, policy: str, pointer: str) -> None:
        super().__init__(FieldError(pointer, "withdrawn", self.title), policy=policy)
