"""The signatures that providers ask for. Pure: the time is given."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote

SECRET_PREFIX = "whsec_"  # noqa: S105 - of a Standard Webhooks secret


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, data: str) -> bytes:
    return hmac.digest(key, data.encode(), "sha256")


def canonical_query(query: Mapping[str, str]) -> str:
    """Names and values percent-encoded as RFC 3986 has it, in order of their names."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def acs3(
    *,
    key_id: str,
    secret: str,
    host: str,
    query: Mapping[str, str],
    action: str,
    version: str,
    nonce: str,
    at: datetime,
) -> dict[str, str]:
    """The headers of a request to Alibaba Cloud, POST to / with all parameters in the query and no body
    (ACS3-HMAC-SHA256)."""
    digest = _sha256(b"")
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = "\n".join(["POST", "/", canonical_query(query), lines, names, digest])
    signature = _hmac(secret.encode(), f"ACS3-HMAC-SHA256\n{_sha256(request.encode())}").hex()
    return headers | {
        "Authorization": f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}"
    }


def tc3(*, key_id: str, secret: str, host: str, service: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a request to Tencent Cloud, POST to / with a JSON body (TC3-HMAC-SHA256)."""
    kind, names, day = "application/json; charset=utf-8", "content-type;host", f"{at:%Y-%m-%d}"
    stamp = str(int(at.timestamp()))
    request = "\n".join(["POST", "/", "", f"content-type:{kind}\nhost:{host}\n", names, _sha256(body)])
    scope = f"{day}/{service}/tc3_request"
    text = "\n".join(["TC3-HMAC-SHA256", stamp, scope, _sha256(request.encode())])
    key = _hmac(_hmac(_hmac(f"TC3{secret}".encode(), day), service), "tc3_request")
    signature = _hmac(key, text).hex()
    return {
        "Content-Type": kind,
        "Host": host,
        "X-TC-Timestamp": stamp,
        "Authorization": f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def dingtalk(secret: str, at: datetime) -> tuple[str, str]:
    """Timestamp and signature of a DingTalk robot: what is signed ends with the secret, which is also the key."""
    stamp = str(int(at.timestamp() * 1000))
    return stamp, base64.b64encode(_hmac(secret.encode(), f"{stamp}\n{secret}")).decode()


def feishu(secret: str, at: datetime) -> tuple[str, str]:
    """Timestamp and signature of a Feishu robot: the text is the key, and what is signed is nothing."""
    stamp = str(int(at.timestamp()))
    return stamp, base64.b64encode(_hmac(f"{stamp}\n{secret}".encode(), "")).decode()


def standard_webhook(secrets: Iterable[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature by each of `secrets`."""
    stamp = str(int(at.timestamp()))
    signed = b".".join([id.encode(), stamp.encode(), body])
    signatures = [base64.b64encode(hmac.digest(webhook_key(secret), signed, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def webhook_key(secret: str) -> bytes:
    """The key in a secret as Standard Webhooks write it. Raises `ValueError`."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)


def same(given: str, right: str) -> bool:
    """Whether two signatures are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode(), right.encode())
