"""What can be wrong with a request about deliveries."""

from chassis.web.errors import Conflict, Words


class NotRetriable(Conflict):
    slug = "delivery-not-retriable"
    title = Words("该投递不能重试", "This delivery cannot be retried")
    detail = Words(
        "仅失败、结果不明或已放弃的投递可以重试，现状态为 {state}。",
        "Only a delivery that failed, is unknown or dead can be retried; this one is {state}.",
    )
