"""A shared secret at the edge, as Standard Webhooks write it: brought by whoever signs or is signed to, never shown."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chassis.vault import KeysMissing, VaultError
from notifier.channels.signing import SECRET_PREFIX

# A sealed secret that cannot be opened, its key being lost or itself damaged: that costs whoever it is of, nobody else.
UNREADABLE = (VaultError, KeysMissing)
SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - the code of that


def _secret(text: str) -> str:
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        zh = "应为 whsec_ 加 24 至 64 字节的 base64"
        raise PydanticCustomError("secret", "Should be whsec_ and 24 to 64 bytes in base64", {"zh": zh})
    return text


Secret = Annotated[
    str,
    Field(strict=True, max_length=120),
    AfterValidator(_secret),
    WithJsonSchema({"type": "string", "maxLength": 120, "pattern": "^whsec_[A-Za-z0-9+/]{32,88}={0,2}$"}),
]
