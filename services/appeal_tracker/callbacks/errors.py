"""What a caller can be told has gone wrong about a callback."""

from chassis.web.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable, Words


class NotYoursToCallBack(Forbidden):
    slug = "not-yours-to-call-back"
    title = Words("不由您回访", "Not yours to call back")
    detail = Words("依据策略第 {clause} 条，回访人须为：{by}。", "By clause {clause} of the policy it is for: {by}.")


class NobodyToCall(Conflict):
    slug = "nobody-to-call"
    title = Words("匿名诉求不回访", "Who gave no name is not called back")
    detail = Words("依据 002 §6.4.5.4：客户匿名的除外。", "By 002 §6.4.5.4, which excepts the anonymous.")


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


class ReasonNotRatedMissing(Unprocessable):
    slug = "not-rated-reason-missing"
    title = Words("未评价须记录原因", "The reason why nothing was rated is recorded")

    def __init__(self) -> None:
        super().__init__(FieldError("/failure_reason", "missing", self.title))


class LinkNotDue(Conflict):
    """`reason` is why as a code: `unanswered`, `closed`, `merged`, `hidden`, `refused`, `answered`, `no_address`."""

    slug = "link-not-due"
    title = Words("当前无须客户评价", "The customer is not to be asked for a rating now")


class TaskNotFound(NotFound):
    slug = "callback-task-not-found"
    title = Words("回访任务不存在", "No such callback task")


class TaskEnded(Conflict):
    slug = "callback-task-ended"
    title = Words("回访任务已结束", "The callback task has ended")


class CallbackIsRecorded(Conflict):
    slug = "callback-is-recorded"
    title = Words("回访须在诉求上如实登记", "A callback is recorded on its appeal")


class CallbackNotYoursToGive(Forbidden):
    slug = "callback-not-yours-to-give"
    title = Words("只有主管可以把回访交给他人", "Only a supervisor gives a callback to somebody else")


class CallbackPast(Unprocessable):
    slug = "callback-past"
    title = Words("回访时间已过", "The time of the callback is past")

    def __init__(self) -> None:
        super().__init__(FieldError("/at", "time_past", self.title))


class CallbackTooFar(Unprocessable):
    slug = "callback-too-far"
    title = Words("回访时间过远", "The callback is planned too far ahead")
    detail = Words("回访最多可安排在 {days} 天内。", "It is planned for {days} days ahead at most.")

    def __init__(self, days: str) -> None:
        super().__init__(FieldError("/at", "too_far", self.title), days=days)


class NotTheirsToCallBack(Unprocessable):
    slug = "not-theirs-to-call-back"
    title = Words("按策略不应由该人员回访", "By its policy that member of staff does not call back about it")

    def __init__(self) -> None:
        super().__init__(FieldError("/person", "not_entitled", self.title))


class CallbackAtNight(Unprocessable):
    slug = "callback-at-night"
    title = Words("未经客户同意不得安排在夜间回访", "No callback by night unless the customer agreed on the time")
    detail = Words("依据 000 §7.2.5.2，{quiet} 不宜回访。", "By 000 §7.2.5.2 nobody is called back at {quiet}.")

    def __init__(self, quiet: str) -> None:
        super().__init__(FieldError("/at", "quiet_hours", self.title), quiet=quiet)
