"""One suite for every channel: what is said of a letter is what the provider's ledger says, or that nobody knows."""

import base64
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook as Verifier

from chassis.db import Database
from chassis.ids import new_id
from deploy.local.demo.provider import Provider
from notifier.channels import mail, webhook
from notifier.channels.networks import Policy, networks
from notifier.channels.outward import Outward
from notifier.channels.port import Ambiguous, CannotTell, Letter, Receipt, Refused
from tests.integration.notifier.providers import HTTP, NEEDING_AN_ADDRESS, SECRET, MailServer, Setting, setting
from tests.support.databases import Databases, free_port

EVERY = ("mailbox", "mail", *HTTP)


@pytest.fixture(scope="module")
async def db(databases: Databases) -> AsyncIterator[Database]:
    urls = await databases.clone("notifier")
    its = Database(urls.service, pool_size=2)
    yield its
    await its.close()
    await databases.drop(urls)


@pytest.fixture
async def its(request: pytest.FixtureRequest, db: Database) -> AsyncIterator[Setting]:
    async with setting(request.param, db) as each:
        yield each


def letter(**more: str | None) -> Letter:
    its = {
        "subject": "即将超期：投诉 V00000001",
        "body": "请于 2026-10-10 10:00 前联系客户 😀",
        "address": "13800000000",
    }
    return Letter(new_id(), "H1", **{**its, **more})  # type: ignore[arg-type]


def addressed(its: Setting, **more: str | None) -> Letter:
    return letter(address="someone@example.com", **more) if its.name == "mail" else letter(**more)


def fault(its: Setting, name: str) -> None:
    its.provider.faults = lambda request: name


def kept(its: Setting, sent: Letter) -> int:
    """How often the provider has the letter: by its id, or by its text where no id is sent."""
    return sum(each.key in (str(sent.send_id), sent.text) for each in its.provider.taken)


@pytest.mark.parametrize("its", EVERY, indirect=True)
async def test_what_is_taken_is_taken_with_all_it_says(its: Setting) -> None:
    sent = addressed(its)
    receipt = await its.channel.send(sent)
    assert receipt.reference
    assert receipt.failed is None
    if its.name != "mailbox":
        assert kept(its, sent) == 1
        (entry,) = its.provider.taken
        assert "请于 2026-10-10 10:00 前联系客户 😀" in entry.text


@pytest.mark.parametrize("its", ["mail", *HTTP], indirect=True)
@pytest.mark.parametrize("how", ["drop", "lost"])
async def test_where_the_answer_is_lost_nobody_knows(its: Setting, how: str) -> None:
    fault(its, how)
    sent = addressed(its)
    with pytest.raises(Ambiguous):
        await its.channel.send(sent)
    assert kept(its, sent) == (how == "drop")


@pytest.mark.parametrize("its", HTTP, indirect=True)
async def test_who_never_answers_is_not_waited_for(its: Setting) -> None:
    fault(its, "hang")
    its.channel.patience = 0.8
    with pytest.raises(Ambiguous):
        await its.channel.send(letter())


@pytest.mark.parametrize("its", HTTP, indirect=True)
async def test_an_answer_without_end_is_cut(its: Setting) -> None:
    fault(its, "endless")
    its.channel.patience = 0.8
    if its.status_is_enough:
        assert await its.channel.send(letter())
    else:
        with pytest.raises(Ambiguous):
            await its.channel.send(letter())


@pytest.mark.parametrize("its", HTTP, indirect=True)
async def test_what_cannot_be_read_is_neither_yes_nor_no(its: Setting) -> None:
    fault(its, "garbage")
    if its.status_is_enough:
        assert await its.channel.send(letter())
    else:
        with pytest.raises(Ambiguous):
            await its.channel.send(letter())


@pytest.mark.parametrize("its", HTTP, indirect=True)
async def test_a_fault_over_there_may_hide_that_it_was_taken(its: Setting) -> None:
    fault(its, "taken_500")
    with pytest.raises(Ambiguous):
        await its.channel.send(letter())


@pytest.mark.parametrize("its", ["mail", *HTTP], indirect=True)
async def test_who_is_too_quick_is_told_so_and_comes_again(its: Setting) -> None:
    fault(its, "429")
    sent = addressed(its)
    with pytest.raises(Refused) as refused:
        await its.channel.send(sent)
    assert not refused.value.permanent
    if its.name != "mail":
        assert (refused.value.retry_after, refused.value.all_wait) == (1.0, True)
    assert kept(its, sent) == 0


GONE = [("mail", "410"), *((name, how) for name in HTTP for how in ("410", "302"))]


@pytest.mark.parametrize(("its", "how"), GONE, indirect=["its"])
async def test_what_is_gone_or_elsewhere_is_refused_for_good(its: Setting, how: str) -> None:
    fault(its, how)
    with pytest.raises(Refused) as refused:
        await its.channel.send(addressed(its))
    assert refused.value.permanent
    if isinstance(its.provider, Provider):
        assert len(its.provider.requests) == 1, "a redirect is not followed"


@pytest.mark.parametrize("its", HTTP, indirect=True)
async def test_who_does_not_listen_has_taken_nothing(its: Setting) -> None:
    assert isinstance(its.provider, Provider)
    await its.provider.__aexit__()
    with pytest.raises(Refused) as refused:
        await its.channel.send(letter())
    assert not refused.value.permanent


@pytest.mark.parametrize("its", NEEDING_AN_ADDRESS, indirect=True)
async def test_without_an_address_nothing_is_sent(its: Setting) -> None:
    with pytest.raises(Refused) as refused:
        await its.channel.send(letter(address=None))
    assert (refused.value.reason, refused.value.permanent) == ("no_address", True)
    assert its.provider.taken == []


@pytest.mark.parametrize("its", EVERY, indirect=True)
async def test_what_became_of_a_letter_is_told_or_cannot_be(its: Setting) -> None:
    sent, never = addressed(its), addressed(its)
    await its.channel.send(sent)
    if its.asked:
        assert isinstance(await its.channel.find(sent), Receipt)
    else:
        with pytest.raises(CannotTell):
            await its.channel.find(sent)
    if its.name in ("mailbox", "gateway"):  # these know at once
        assert await its.channel.find(never) is None
    else:
        with pytest.raises(CannotTell) as cannot:
            await its.channel.find(never)
        assert (cannot.value.ask_again is not None) is (its.name in ("aliyun", "tencent"))


@pytest.mark.parametrize("its", EVERY, indirect=True)
async def test_a_channel_that_takes_once_says_so_of_what_its_provider_does(its: Setting) -> None:
    sent = addressed(its)
    assert its.channel.takes_once(sent) is (its.name in ("mailbox", "gateway", "webhook"))
    if isinstance(its.provider, Provider) and its.channel.takes_once(sent):
        await its.channel.send(sent)
        await its.channel.send(sent)
        assert its.provider.ledger.keys() == {str(sent.send_id)}
        first, second = its.provider.taken
        assert first == second, "the same id is the same letter, in every byte"


@pytest.mark.parametrize("its", ["webhook"], indirect=True)
async def test_a_webhook_is_signed_as_the_standard_says(its: Setting) -> None:
    sent = letter()
    await its.channel.send(sent)
    assert isinstance(its.provider, Provider)
    (request,) = its.provider.requests
    said = Verifier(SECRET).verify(request.body, dict(request.headers))
    assert (said["type"], said["data"]["recipient"]) == ("notification.message", "H1")
    assert request.headers["webhook-id"] == str(sent.send_id)


@pytest.mark.parametrize("its", ["aliyun"], indirect=True)
async def test_a_cloud_that_cannot_be_asked_yet_is_asked_again_and_believed_later(its: Setting) -> None:
    minute_ago = new_id().int - (120_000 << 80)
    never = Letter(type(uuid4())(int=minute_ago), "H1", "a", "b", address="13800000000")
    assert await its.channel.find(never) is None
    with pytest.raises(CannotTell) as cannot:  # of what was handed over again its age says nothing
        await its.channel.find(msgspec.structs.replace(never, times=2))
    assert cannot.value.ask_again is None


@pytest.mark.parametrize("its", ["mail"], indirect=True)
async def test_a_mail_says_who_what_and_under_which_id(its: Setting) -> None:
    sent = addressed(its, subject="超期：投诉\nV1")
    await its.channel.send(sent)
    assert isinstance(its.provider, MailServer)
    (message,) = its.provider.messages
    assert message["Message-ID"] == f"<{sent.send_id}@example.com>"
    assert str(make_header(decode_header(message["Subject"]))) == "超期：投诉 V1", "no header of its own making"


async def test_a_mail_is_never_sent_in_clear_outside_a_local_stack(db: Database) -> None:
    settings = mail.Settings("127.0.0.1", "a@example.com", free_port(), "none")
    with pytest.raises(Refused) as refused:
        await mail.Mail(settings, mail.Secrets(), Outward(Policy())).send(letter(address="b@example.com"))
    assert refused.value.reason == "not_encrypted"
    private = mail.Settings("127.0.0.1", "a@example.com", free_port(), "tls")
    with pytest.raises(Refused) as refused:
        await mail.Mail(private, mail.Secrets(), Outward(Policy(networks=networks("10.0.0.0/8")))).send(
            letter(address="b@example.com")
        )
    assert refused.value.reason == "address_not_public"


def test_the_secret_of_a_webhook_is_long_enough() -> None:
    with pytest.raises(ValueError, match="24 bytes"):
        webhook.Secrets("whsec_" + base64.b64encode(b"short").decode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, by nobody's authority but its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_is_sent_encrypted_to_a_server_that_proves_its_name(
    certificate: Path, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with MailServer(security, context) as server:
        settings = mail.Settings("127.0.0.1", "notice@example.com", server.port, security)  # type: ignore[arg-type]
        channel = mail.Mail(settings, mail.Secrets(), Outward(Policy(local=True)))
        with pytest.raises(Refused) as refused:
            await channel.send(letter(address="someone@example.com"))
        assert not refused.value.permanent, "a certificate that nobody vouches for"
        assert server.taken == []
        monkeypatch.setattr(mail, "tls", lambda: ssl.create_default_context(cafile=str(certificate)))
        assert await channel.send(letter(address="someone@example.com"))
        assert len(server.taken) == 1
