"""What can be wrong with a request about accounts, and with a callback."""

from chassis.web.errors import Conflict, FieldError, Problem, Unprocessable, Words

_SETTING = "不符合该服务商的要求"


class AccountTaken(Conflict):
    slug = "account-taken"
    title = Words("该单位在此渠道已有启用的账号", "The unit has an active account of this channel already")


class AccountIdTaken(Conflict):
    slug = "account-id-taken"
    title = Words("该编号已用于另一账号", "This id is another account's")


class BadSignature(Problem):
    """Also what an account looks like that there is not."""

    status = 401
    slug = "bad-signature"
    title = Words("签名无效", "The signature proves nothing")


def bad_setting(pointer: str, why: str) -> Unprocessable:
    """Settings, secrets or limits that the provider's adapter cannot be made from."""
    english = why.replace("{", "{{").replace("}", "}}")
    return Unprocessable(FieldError(pointer, "setting", Words(_SETTING, english)))


def secrets_needed() -> Unprocessable:
    """What was brought for one place would be used for another."""
    words = Words("更改发送地址须重新提供密钥", "Whoever changes where it goes brings the secrets again")
    return Unprocessable(FieldError("/secrets", "secrets_needed", words))


def unknown_unit() -> Unprocessable:
    """A unit that there is not, or that the caller does not see."""
    return Unprocessable(FieldError("/unit_code", "unknown_unit", Words("没有这个单位", "There is no such unit")))


def unreadable() -> Unprocessable:
    """A callback that is not in its provider's form."""
    return Unprocessable(FieldError("", "report", Words("回执格式不符", "Not a report in this provider's form")))
