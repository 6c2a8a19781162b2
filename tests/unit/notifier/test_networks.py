"""Where a typed address may lead, and where not."""

from ipaddress import ip_address

import pytest

from notifier.channels.networks import Blocked, Policy, networks

OUTSIDE = Policy()
LOCAL = Policy(local=True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "not_https"),
        ("https://example.com:22/", "port_not_allowed"),
        ("https://user:password@example.com/", "url_with_credentials"),
        ("https://example.com@127.0.0.1/", "url_with_credentials"),
        ("https://127.0.0.1/", "address_not_public"),
        ("https://10.0.0.1/", "address_not_public"),
        ("https://192.168.1.1/", "address_not_public"),
        ("https://169.254.169.254/latest/meta-data", "address_not_public"),
        ("https://100.64.0.1/", "address_not_public"),
        ("https://0.0.0.0/", "address_not_public"),
        ("https://224.0.0.1/", "address_not_public"),
        ("https://[::1]/", "address_not_public"),
        ("https://[::]/", "address_not_public"),
        ("https://[fe80::1]/", "address_not_public"),
        ("https://[fc00::1]/", "address_not_public"),
        ("https://[::ffff:127.0.0.1]/", "address_not_public"),
        ("https://[::ffff:10.0.0.1]/", "address_not_public"),
        ("https://[::127.0.0.1]/", "address_not_public"),
        ("https://[2002:7f00:1::]/", "address_not_public"),
        ("https://[64:ff9b::7f00:1]/", "address_not_public"),
        ("ftp://example.com/", "url_malformed"),
        ("file:///etc/passwd", "url_malformed"),
        ("https:///nowhere", "url_malformed"),
        ("https://example.com/#part", "url_malformed"),
        ("https://example.com\\@127.0.0.1/", "url_malformed"),
        ("https://exa mple.com/", "url_malformed"),
        ("https://例子.cn/", "url_malformed"),
        ("https://example.com:port/", "url_malformed"),
        ("https://example.com/\r\nHost: x", "url_malformed"),
        ("https://example.com/" + "a" * 2000, "url_malformed"),
        ("", "url_malformed"),
    ],
)
def test_what_must_not_be_called(url: str, reason: str) -> None:
    with pytest.raises(Blocked) as blocked:
        OUTSIDE.place(url)
    assert blocked.value.reason == reason


def test_what_may_be_called_is_taken_apart_once() -> None:
    place = OUTSIDE.place("https://Hooks.Example.com:8443/in?a=1&b=%E4%B8%AD")
    assert (place.scheme, place.host, place.port, place.target) == (
        "https",
        "hooks.example.com",
        8443,
        "/in?a=1&b=%E4%B8%AD",
    )
    assert place.authority == "hooks.example.com:8443"
    assert OUTSIDE.place("https://[2606:4700::1111]").authority == "[2606:4700::1111]"


def test_a_local_stack_calls_its_own_machine_and_no_other_link() -> None:
    assert LOCAL.place("http://127.0.0.1:9000/x").port == 9000
    for url in ("http://169.254.169.254/", "http://[fe80::1]/", "http://224.0.0.1/", "http://0.0.0.0/"):
        with pytest.raises(Blocked):
            LOCAL.place(url)


def test_an_operator_names_networks_of_their_own() -> None:
    policy = Policy(networks=networks("10.20.0.0/16, fd00:1::/64"))
    policy.check(ip_address("10.20.3.4"))
    policy.check(ip_address("::ffff:10.20.3.4"))
    policy.check(ip_address("fd00:1::5"))
    for other in ("10.21.0.1", "fd00:2::5", "127.0.0.1"):
        with pytest.raises(Blocked):
            policy.check(ip_address(other))
    with pytest.raises(ValueError, match="host bits"):
        networks("10.0.0.1/8")
