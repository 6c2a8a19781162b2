"""The signatures of providers, against what they have published themselves, or by their own words done another way."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

from notifier.channels.signing import acs3, canonical_query, dingtalk, feishu, same, standard_webhook, tc3

AT = datetime(2026, 10, 9, 2, 0, tzinfo=UTC)


def test_alibaba_clouds_published_example() -> None:
    """https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature, the worked example."""
    headers = acs3(
        key_id="YourAccessKeyId",
        secret="YourAccessKeySecret",
        host="ecs.cn-shanghai.aliyuncs.com",
        query={
            "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            "RegionId": "cn-shanghai",
        },
        action="RunInstances",
        version="2014-05-26",
        nonce="3156853299f313e23d1673dc12e1703d",
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
    )
    assert headers["x-acs-date"] == "2023-10-26T10:22:32Z"
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tencent_clouds_published_example() -> None:
    """https://www.tencentcloud.com/document/product/1021/34193, the worked example (the id is shortened there)."""
    headers = tc3(
        key_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        host="cvm.tencentcloudapi.com",
        service="cvm",
        body=rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}',
        at=datetime.fromtimestamp(1551113065, UTC),
    )
    assert headers["X-TC-Timestamp"] == "1551113065"
    assert headers["Authorization"].endswith(
        "/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def test_a_query_is_encoded_as_the_signature_wants_it() -> None:
    assert canonical_query({"b": "v=a b*c~d/e", "a": "中"}) == "a=%E4%B8%AD&b=v%3Da%20b%2Ac~d%2Fe"


def test_dingtalk_signs_time_and_secret_by_the_secret() -> None:
    """https://open.dingtalk.com/document/robots/customize-robot-security-settings"""
    stamp, sign = dingtalk("SECabc", AT)
    assert stamp == "1791511200000"
    right = hmac.new(b"SECabc", f"{stamp}\nSECabc".encode(), hashlib.sha256).digest()
    assert sign == base64.b64encode(right).decode()


def test_feishu_signs_nothing_by_time_and_secret() -> None:
    """https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot, "签名校验"."""
    stamp, sign = feishu("demo", AT)
    assert stamp == "1791511200"
    right = hmac.new(f"{stamp}\ndemo".encode(), digestmod=hashlib.sha256).digest()
    assert sign == base64.b64encode(right).decode()


def test_the_standard_webhooks_library_accepts_each_of_several_secrets() -> None:
    secrets = ["whsec_" + base64.b64encode(bytes([sign] * 24)).decode() for sign in (1, 2)]
    now = datetime.now(UTC)
    body = '{"type":"点"}'.encode()
    headers = standard_webhook(secrets, "msg_1", now, body)
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"type": "点"}
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_signatures_are_compared_whole() -> None:
    assert same("a1", "a1")
    assert not same("a1", "a12")
