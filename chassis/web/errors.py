"""Problems: all that a caller can be told has gone wrong, as one tree, answered as RFC 9457 problem+json.

A slice adds a leaf by subclassing: class attributes say slug, title and the detail's template; what is known about the
case is given by keyword, fills the template and becomes extension members of the answer:

    class UnitCodeTaken(Conflict):
        slug = "unit-code-taken"
        title = Words("单位编码已被使用", "Unit code already in use")
        detail = Words("单位编码 {unit} 已被使用。", "Unit code {unit} is already in use.")

    raise UnitCodeTaken(unit=code)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

Language = Literal["zh", "en"]
Place = Literal["body", "query", "header"]


class Words(NamedTuple):
    """The same sentence in both languages; may hold {placeholders}."""

    zh: str
    en: str

    def say(self, language: Language, context: Mapping[str, Any] = {}) -> str:
        return getattr(self, language).format_map(context)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one place of a request; `pointer` is an RFC 6901 pointer into what `place` names."""

    pointer: str
    code: str
    words: Words
    place: Place = "body"


class Problem(Exception):
    """The root: a fact the caller can be told. `slug` is stable and unique; `context` must be encodable as JSON."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[Words] = Words("服务内部错误", "Internal error")
    detail: ClassVar[Words | None] = None
    headers: Mapping[str, str] = {}
    errors: Sequence[FieldError] = ()
    known: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        if "slug" in vars(cls):
            other = cls.known.setdefault(cls.slug, cls)
            if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"two problems are called {cls.slug!r}: {other} and {cls}")

    def __init__(self, **context: Any) -> None:
        super().__init__(self.slug)
        self.context = context

    def body(self, language: Language, trace_id: str | None = None) -> dict[str, Any]:
        """The members of the answer, in `language`."""
        members: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.title.say(language),
            "status": self.status,
        }
        if self.detail is not None:
            members["detail"] = self.detail.say(language, self.context)
        if self.errors:
            members["errors"] = [
                {"in": error.place, "pointer": error.pointer, "code": error.code, "detail": error.words.say(language)}
                for error in self.errors
            ]
        if trace_id:
            members["trace_id"] = trace_id
        return {**members, **self.context, **members}


Problem.known["internal"] = Problem


class BadRequest(Problem):
    status = 400
    slug = "bad-request"
    title = Words("请求有误", "Bad request")


class MalformedJson(BadRequest):
    slug = "malformed-json"
    title = Words("请求体不是合法的 JSON", "The body is not well-formed JSON")


class BadIdempotencyKey(BadRequest):
    slug = "bad-idempotency-key"
    title = Words("Idempotency-Key 无效", "Invalid Idempotency-Key")
    detail = Words(
        "Idempotency-Key 须为 1 至 255 个可见 ASCII 字符。", "Idempotency-Key takes 1 to 255 visible ASCII characters."
    )


class Unauthorized(Problem):
    status = 401
    slug = "unauthorized"
    title = Words("身份未通过验证", "Authentication required")
    headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(Unauthorized):
    """The reason is for the log only: a caller without a valid token is told no more than that."""

    slug = "invalid-token"
    title = Words("令牌无效", "Invalid token")
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Forbidden(Problem):
    status = 403
    slug = "forbidden"
    title = Words("无权执行此操作", "Not permitted")


class NotFound(Problem):
    """Also what another unit's thing looks like."""

    status = 404
    slug = "not-found"
    title = Words("未找到", "Not found")


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = Words("不支持此方法", "Method not allowed")


class Conflict(Problem):
    status = 409
    slug = "conflict"
    title = Words("与现有状态冲突", "Conflict with the present state")


class IdempotencyInProgress(Conflict):
    slug = "idempotency-in-progress"
    title = Words("相同 Idempotency-Key 的请求正在处理", "A request with this Idempotency-Key is still running")
    headers = {"Retry-After": "1"}


class FeedExpired(Problem):
    """A copy cannot be brought up to date any more by what changes: other units are in sight than were."""

    status = 410
    slug = "feed-expired"
    title = Words("可见单位已变动，须重新读取列表", "Other units are in sight now: begin the list again")
    detail = Words(
        "请清空本地副本，不带 cursor、以 updated_since 重新开始。",
        "Empty the copy, and begin with updated_since, without a cursor.",
    )


class PreconditionFailed(Problem):
    status = 412
    slug = "precondition-failed"
    title = Words("内容已被修改，请重新获取后再试", "It has changed since you read it")


class TooLarge(Problem):
    status = 413
    slug = "too-large"
    title = Words("请求体过大", "Body too large")
    detail = Words("请求体最多 {limit} 字节。", "A body here has at most {limit} bytes.")


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = Words("不支持的内容类型", "Unsupported content type")
    detail = Words("请求体须为 application/json。", "The body must be application/json.")


class UnsupportedEncoding(UnsupportedMediaType):
    """A body is taken as it is: nobody has to bear what a small one may unpack to."""

    slug = "unsupported-encoding"
    title = Words("不支持压缩的请求体", "Packed bodies are not taken")
    detail = Words("请求体不得带 Content-Encoding。", "A body is sent as it is, without a Content-Encoding.")
    headers = {"Accept-Encoding": "identity"}


class Unprocessable(Problem):
    """What was sent is understood and not acceptable; `errors` point to the fields."""

    status = 422
    slug = "unprocessable"
    title = Words("请求内容不符合要求", "The request is not acceptable")

    def __init__(self, *errors: FieldError, **context: Any) -> None:
        super().__init__(**context)
        self.errors = errors


class IdempotencyMismatch(Unprocessable):
    slug = "idempotency-mismatch"
    title = Words("该 Idempotency-Key 已用于另一请求", "This Idempotency-Key was used for another request")


class PreconditionRequired(Problem):
    status = 428
    slug = "precondition-required"
    title = Words("缺少 If-Match", "If-Match is required")
    detail = Words("请在 If-Match 中带上读取时得到的 ETag。", "Send the ETag you were given on reading in If-Match.")


class ServiceUnavailable(Problem):
    """What this service stands on is away for the moment; nothing was stored."""

    status = 503
    slug = "service-unavailable"
    title = Words("服务暂不可用，请稍后重试", "Unavailable for the moment, please retry")

    def __init__(self, retry_after: int = 2, **context: Any) -> None:
        super().__init__(**context)
        self.headers = {"Retry-After": str(retry_after)}


class StorageFull(ServiceUnavailable):
    """No room is left for what was sent; nothing of it was stored. It is for whoever runs the service to make some."""

    slug = "storage-full"
    title = Words("存储空间不足，未保存任何内容", "No room is left to store it; nothing was kept")

    def __init__(self) -> None:
        super().__init__(retry_after=300)
