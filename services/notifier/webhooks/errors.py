"""What can be wrong with a request about webhooks."""

from chassis.web.errors import Conflict, FieldError, Unprocessable, Words

_REASONS = {
    "url_malformed": Words("不是合法的 URL", "Not a URL that can be called"),
    "url_with_credentials": Words("URL 不得带用户名或口令", "A URL bears no user and no password"),
    "not_https": Words("应以 https:// 开头", "Should begin with https://"),
    "port_not_allowed": Words("该端口不允许", "This port is not allowed"),
    "address_not_public": Words("不是公网地址", "Not a public address"),
}


def bad_url(reason: str) -> Unprocessable:
    """A URL that must not be called."""
    return Unprocessable(FieldError("/url", reason, _REASONS[reason]))


def secret_needed() -> Unprocessable:
    """What is signed for one place would be signed for another."""
    words = Words("更改回调地址须重新提供密钥", "Whoever changes where it goes brings the secret again")
    return Unprocessable(FieldError("/secret", "secret_needed", words))


def unknown_unit() -> Unprocessable:
    """A unit that there is not, or that the caller does not see."""
    return Unprocessable(FieldError("/unit_code", "unknown_unit", Words("没有这个单位", "There is no such unit")))


class EndpointDisabled(Conflict):
    slug = "webhook-disabled"
    title = Words("该回调地址已停用", "This endpoint is disabled")
    detail = Words("先启用它，再发送。", "Enable it before anything is sent there.")


class MessageUnderway(Conflict):
    slug = "webhook-message-underway"
    title = Words("该消息正在发送", "This message is being sent")


class EndpointTaken(Conflict):
    slug = "webhook-id-taken"
    title = Words("该编号已用于另一回调地址", "This id is another endpoint's")
