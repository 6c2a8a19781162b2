"""What a caller can be told has gone wrong about a callback."""

from chassis.web.errors import FieldError, Forbidden, Unprocessable, Words


class NotYoursToCallBack(Forbidden):
    slug = "not-yours-to-call-back"
    title = Words("不由您回访", "Not yours to call back")
    detail = Words("依据策略第 {clause} 条，回访人须为：{by}。", "By clause {clause} of the policy it is for: {by}.")


class ReasonMissing(Unprocessable):
    slug = "failure-reason-missing"
    title = Words("回访不成功须如实记录原因", "The reason why a callback failed is recorded")
    detail = Words("依据 000 §7.2.5.1。", "By 000 §7.2.5.1.")

    def __init__(self) -> None:
        super().__init__(FieldError("/failure_reason", "missing", self.title))


class NothingToRate(Unprocessable):
    slug = "nothing-to-rate"
    title = Words("回访未完成，不能记录满意度", "A callback that was not completed has no satisfaction")

    def __init__(self) -> None:
        super().__init__(FieldError("/satisfaction", "not_completed", self.title))
