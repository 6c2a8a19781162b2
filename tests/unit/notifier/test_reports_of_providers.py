"""What providers say later, in the forms in which they have published it."""

from uuid import UUID

import msgspec
import pytest

from notifier.channels.providers import PROVIDERS, Report

ID = UUID("0192f3a4-0000-7000-8000-000000000001")


def test_alibaba_cloud_reports_by_our_id_and_by_its_own() -> None:
    """https://help.aliyun.com/zh/sms/developer-reference/smsreport-2, the example of SmsReport."""
    said = {
        "phone_number": "13811110000",
        "send_time": "2017-01-01 00:00:00",
        "report_time": "2017-01-01 00:00:00",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "12345",
        "out_id": "67890",
    }
    read = PROVIDERS["aliyun"].read
    assert read([said]) == [Report(True, None, "12345", "DELIVERED")], "an id that is none of ours is no id"
    failed = {**said, "success": False, "err_code": "MOBILE_NOT_ON_SERVICE", "out_id": str(ID)}
    assert read([said, failed])[1] == Report(False, ID, "12345", "MOBILE_NOT_ON_SERVICE")
    assert PROVIDERS["aliyun"].thanks == {"code": 0, "msg": "接收成功"}


def test_tencent_cloud_reports_by_its_own_id() -> None:
    """https://www.tencentcloud.com/document/product/382/43547, the sample request."""
    said = {
        "user_receive_time": "2015-10-17 08:03:04",
        "nationcode": "86",
        "mobile": "13000000000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": "serial",
    }
    read = PROVIDERS["tencent"].read
    assert read([said]) == [Report(True, None, "serial", "用户短信送达成功")]
    assert not read([{**said, "report_status": "FAIL"}])[0].delivered
    assert PROVIDERS["tencent"].thanks == {"result": 0, "errmsg": "OK"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("said", [None, 5, "text", {"surprise": 1}, [{"state": "perhaps"}], [[]], [{"success": "yes"}]])
def test_what_is_in_no_form_is_refused(provider: str, said: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        PROVIDERS[provider].read(said)


def test_a_gateway_of_ones_own_says_it_in_our_words_one_or_many() -> None:
    read = PROVIDERS["gateway"].read
    assert read({"state": "delivered", "id": str(ID)}) == [Report(True, ID)]
    assert read([{"state": "failed", "reference": "7", "reason": "off"}]) == [Report(False, None, "7", "off")]
