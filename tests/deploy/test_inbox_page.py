"""The page of the local inbox shows mail and can do nothing else."""

from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from deploy.local.inbox_page import InboxPage

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def page(tmp_path: Path) -> httpx.AsyncClient:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "netral@netral.invalid",
        "meja@bawaslu.invalid",
        f"Uji {HOSTILE}",
    )
    mail["Message-ID"] = "<a@netral.invalid>"
    mail.set_content(f"Isi {HOSTILE}")
    mail.add_alternative(f"<p>Isi</p>{HOSTILE}", subtype="html")
    (tmp_path / "a.12345678.eml").write_bytes(mail.as_bytes())
    (tmp_path.parent / "secret.eml").write_text("Subject: secret\n\n")
    transport = httpx.ASGITransport(InboxPage(tmp_path).app())
    return httpx.AsyncClient(transport=transport, base_url="http://inbox")


async def test_mails_are_listed_and_shown_with_their_markup_as_text(page: httpx.AsyncClient) -> None:
    for path in ("/", "/mail/a.12345678.eml"):
        answer = await page.get(path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "meja@bawaslu.invalid" in (await page.get("/")).text


async def test_the_html_of_a_mail_is_shut_in_a_sandbox(page: httpx.AsyncClient) -> None:
    outer = await page.get("/mail/a.12345678.eml")
    assert 'sandbox=""' in outer.text
    inner = await page.get("/mail/a.12345678.eml/html")
    assert inner.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert (await page.get("/mail/a.12345678.eml/source")).headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "name", ["..%2Fsecret.eml", "%2e%2e%2fsecret.eml", "b.eml", ".hidden.eml", "a.12345678"]
)
async def test_only_the_mails_of_the_inbox_are_shown(page: httpx.AsyncClient, name: str) -> None:
    assert (await page.get(f"/mail/{name}")).status_code == 404
    assert (await page.post("/")).status_code == 405
