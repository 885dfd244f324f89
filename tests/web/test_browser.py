"""The pages in a real browser: all fits, nothing comes from elsewhere, keyboard and colour schemes work."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

from tests.web.house import House
from tests.web.recordings import SYSTEM, a_reading, said, user

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FIRST = "/calls/00000001-1111-4111-8111-111111111111"
COMPARE = "/compare?left=debate-1&right=debate-2"
PATHS = ["/", "/calls", "/sessions/debate-1", FIRST, "/replays?session=debate-1", COMPARE, "/login"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    """A tab on the house."""
    context = browser.new_context(base_url=house.url)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_every_page_fits_and_stays_at_home(browser: Browser, house: House, path: str) -> None:
    """At 360 and 1600 pixels no page scrolls sideways; nothing fails, and nothing is asked of another host."""
    for width in (360, 1600):
        context = browser.new_context(base_url=house.url, viewport={"width": width, "height": 800})
        tab = context.new_page()
        faults: list[str] = []
        hosts: set[str] = set()
        _watch(tab, faults, hosts)
        tab.goto(path)

        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert (faults, hosts) == ([], {house.url.split("/")[2]})
        context.close()


def _watch(tab: Page, faults: list[str], hosts: set[str]) -> None:
    """Note what goes wrong in a tab, and which hosts it asks."""

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def failed(error: Error) -> None:
        faults.append(str(error))

    def asked(request: Request) -> None:
        hosts.add(request.url.split("/")[2])

    tab.on("console", said)
    tab.on("pageerror", failed)
    tab.on("request", asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_all_text_can_be_read(browser: Browser, house: House, path: str, scheme: str) -> None:
    """Every text has a contrast of 4.5 to 1 with what it stands on (WCAG 2.2, 1.4.3), in both colour schemes."""
    context = browser.new_context(base_url=house.url, color_scheme=scheme)  # type: ignore[arg-type]
    tab = context.new_page()
    tab.goto(path)
    faint = tab.evaluate(CONTRAST)
    context.close()

    assert faint == []


CONTRAST = """() => {
  const parse = (text) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const own = parse(getComputedStyle(element).backgroundColor);
    if (own[3] === 1) return own.slice(0, 3);
    return over(own, element.parentElement ? ground(element.parentElement) : [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest(":disabled, .hidden, script, style")) continue;
    const under = ground(element), ink = over(parse(getComputedStyle(element).color), under);
    const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const words = walker.currentNode.textContent.trim().slice(0, 30);
    if (ratio < 4.5) faint.push(`${element.className || element.tagName}: ${ratio.toFixed(2)} ${words}`);
  }
  return [...new Set(faint)];
}"""


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    """The first stop is the link past the navigation, and focus can be seen."""
    page.goto("/sessions/debate-1")
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
    )

    assert focused == ["Skip to content", "solid"]


def test_j_and_k_go_from_difference_to_difference(page: Page) -> None:
    """Equal pairs are passed over; at the end it stays."""
    page.goto("/compare?left=debate-1&right=debate-2")
    stops = []
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
        stops.append(page.evaluate("document.activeElement.id"))

    assert stops == ["pair-1", "pair-2", "pair-2", "pair-1"]


def test_a_link_unfolds_an_equal_pair(page: Page) -> None:
    """The overview leads to what is folded."""
    page.goto("/compare?left=debate-1&right=debate-2")
    page.get_by_role("link", name="Pair 3, same").click()

    assert page.locator("#pair-3 details").evaluate("details => details.open")


def test_two_ticks_compare(page: Page) -> None:
    """The button waits for two."""
    page.goto("/")
    compare = page.get_by_role("button", name="Compare two sessions")
    assert compare.is_disabled()
    for box in page.get_by_role("checkbox").all():
        box.check()
    compare.click()

    assert page.locator("h1").inner_text() == "Compare"


def test_a_replay_from_form_to_comparison(page: Page) -> None:
    """As a person would: change, plan, run, wait, compare."""
    page.goto("/sessions/debate-1")
    page.get_by_role("link", name="Replay with a change").click()
    page.get_by_label("Append to the system prompt").fill(" Be brief.")
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Run it: ask 3 calls").click()
    page.get_by_role("link", name="Compare with the source").first.click()

    assert page.get_by_role("list").filter(has_text="Append to the system prompt").count() == 1


def test_everything_works_without_scripts(browser: Browser, house: House) -> None:
    """The same journey with JavaScript switched off."""
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    tab = context.new_page()
    tab.goto("/")
    for box in tab.get_by_role("checkbox").all():
        box.check()
    tab.get_by_role("button", name="Compare two sessions").click()
    assert tab.locator("h1").inner_text() == "Compare"
    tab.goto("/replays?session=debate-1")
    tab.get_by_role("button", name="Show the plan").click()
    tab.get_by_role("button", name=re.compile("^Run it")).click()
    tab.get_by_role("link", name="Compare with the source").first.click()

    assert tab.locator("h1").inner_text() == "Compare"
    context.close()


def test_nothing_recorded_runs_in_a_browser(page: Page, house: House) -> None:
    """Markup in a message is text."""
    evil = "<img src=x onerror='document.title=\"run\"'><script>document.title='run'</script>"
    house.calls.save([a_reading(90, [SYSTEM, user(evil)], said(evil), session="evil", name=evil, path=f"/{evil}")])
    page.goto("/sessions/evil")

    assert (page.title().endswith("· Reenact"), page.locator("img").count()) == (True, 0)
