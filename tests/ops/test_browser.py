"""The pages in a real browser: they fit a phone and a desk, and nothing in them is blocked by their own policy."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from playwright.async_api import async_playwright

from deploy.local.secrets import ensure
from tests.ops.test_app import CASE, made_spans
from tests.ports import free_port
from tests.running import until

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed (Debian: chromium)"),
]


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    """The ops page as a process, with nothing else running: everything is wrong, and that is shown."""
    ensure(tmp_path)
    port = free_port()
    env = {
        "NETRAL_DATA_DIR": str(tmp_path),
        "NETRAL_OPS_PORT": str(port),
        "NETRAL_MONITOR_PORT": str(free_port()),
    }
    env |= {f"NETRAL_{name}_PORT": str(free_port()) for name in ("INTAKE", "ROUTING", "NOTIFICATIONS")}
    process = subprocess.Popen([sys.executable, "-m", "services.ops"], env=env, stdout=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(60)


async def told(address: str) -> str | None:
    """The id of a trace, once the page has taken it."""
    spans = made_spans()
    try:
        async with httpx.AsyncClient() as http:
            (
                await http.post(f"{address}/v1/traces", content=encode_spans(spans).SerializeToString())
            ).raise_for_status()
    except httpx.HTTPError:
        return None
    return f"{spans[0].context.trace_id:032x}"


async def test_every_page_fits_a_phone_and_a_desk_and_blocks_nothing_of_its_own(address):
    trace = await until(lambda: told(address))
    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (390, 1280):
            page = await browser.new_page(viewport={"width": width, "height": 844})
            page.on("console", lambda message: said.append(message.text))
            for path in ("/", "/traces", f"/traces/{trace}", f"/cases/{CASE}", "/runbooks/WebhookFailing"):
                await page.goto(address + path)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            await page.goto(f"{address}/traces/{trace}")
            assert await page.locator("rect").first.is_visible()
        await browser.close()
    assert said == []
