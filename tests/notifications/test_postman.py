"""STARTTLS with real certificates."""

import socket
import ssl

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from services.notifications.core.retries import Answer, Verdict
from services.notifications.postman import Postman
from services.notifications.settings import NotificationsSettings
from tests.notifications.smtp_server import Server
from tests.ports import free_port, silent_address

MAIL = b"Subject: x\r\n\r\n.a line that begins with a dot\r\n"
SENT = Answer(Verdict.ACCEPTED, "250")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
async def secure(authority):
    """A server that offers STARTTLS with a certificate for 127.0.0.1."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    started = Server(free_port(), tls_context=context)
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
def deliver(tmp_path):
    async def once(server, **changed):
        settings = NotificationsSettings(data_dir=tmp_path, smtp_port=server.port, **changed)
        postman = Postman(settings)
        try:
            return await postman.deliver("a@b.example", MAIL, "bounces+x@netral.invalid")
        finally:
            await postman.close()

    return once


async def test_starttls_is_used_where_it_is_offered(secure, deliver):
    assert await deliver(secure) == SENT
    assert secure.arrived[0][0] is True


async def test_a_required_certificate_is_verified(secure, deliver, authority, tmp_path):
    refused = await deliver(secure, smtp_tls="required")
    assert refused.verdict is Verdict.UNREACHED
    assert secure.arrived == []
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert await deliver(secure, smtp_tls="required", smtp_ca_file=tmp_path / "ca.pem") == SENT


async def test_without_starttls_a_server_gets_nothing_where_it_is_required(server, deliver):
    assert (await deliver(server, smtp_tls="required")).verdict is Verdict.UNREACHED
    assert server.arrived == []


async def test_off_means_off(secure, deliver):
    assert await deliver(secure, smtp_tls="off") == SENT
    assert secure.arrived[0][0] is False


async def test_a_line_that_begins_with_a_dot_arrives_whole(server, deliver):
    assert await deliver(server) == SENT
    assert server.arrived[0][2] == MAIL


async def test_nobody_listening_is_no_outcome_for_the_mail(deliver, server):
    await server.stop()
    assert (await deliver(server)).verdict is Verdict.UNREACHED


async def test_implicit_tls_speaks_nothing_in_clear_and_verifies(deliver, authority, tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    wrapped = Server(free_port(), wrapped=context)
    await wrapped.start()
    assert (await deliver(wrapped, smtp_tls="implicit")).verdict is Verdict.UNREACHED
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert await deliver(wrapped, smtp_tls="implicit", smtp_ca_file=tmp_path / "ca.pem") == SENT
    await wrapped.stop()


async def test_a_server_that_wants_a_login_gets_it(authority, deliver, tmp_path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    asked = []

    def check(server, session, envelope, mechanism, data):
        asked.append((data.login, data.password))
        return AuthResult(success=data.password == b"sandi")

    guarded = Server(free_port(), tls_context=context, auth_required=True, authenticator=check)
    await guarded.start()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    login = {"smtp_tls": "required", "smtp_ca_file": tmp_path / "ca.pem", "smtp_user": "netral"}
    refused = await deliver(guarded, **login, smtp_password="salah", smtp_timeout=1)
    assert refused.verdict is Verdict.UNREACHED
    assert await deliver(guarded, **login, smtp_password="sandi") == SENT
    assert (b"netral", b"sandi") in asked
    await guarded.stop()


async def test_a_mail_server_whose_first_address_is_silent_is_reached_at_its_second(
    secure, deliver, monkeypatch
):
    def both(host, port, *_, **__):
        assert host == "relay.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in (silent, "127.0.0.1")]

    with silent_address(secure.port) as silent:
        monkeypatch.setattr(socket, "getaddrinfo", both)
        assert await deliver(secure, smtp_host="relay.example", smtp_timeout=2, smtp_tls="off") == SENT


async def test_a_mail_server_that_has_no_address_or_is_silent_is_not_reached(secure, deliver):
    assert await deliver(secure, smtp_host="nobody.invalid") == Answer(Verdict.UNREACHED, "connect")
    with silent_address(secure.port) as silent:
        found = await deliver(secure, smtp_host=silent, smtp_timeout=0.5)
    assert found == Answer(Verdict.UNREACHED, "timeout")
