"""-T html in a real browser, opened from disk. Needs playwright and a chromium of the system."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from analyzer.findings import Severity
from analyzer.report.output import Item
from tests.report.records import (
    everything,
    failed,
    finding,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    summary,
    written,
)

pytest.importorskip("jinja2", reason="-T html needs jinja2")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: browser)")
html = pytest.importorskip("analyzer.report.html")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

TROUBLES: list[Item] = [
    failed(stream=0),
    failed(finding("chain-order", Severity.WARNING), stream=1, server_name="other.example.net"),
    healthy(stream=2, server_name="b10.example.com", version="TLSv1.3"),
    healthy(stream=3, server_name="b9.example.com"),
    summary(connections=4),
]
HOSTILE = (
    "</script><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>",
    "'\"><svg onload=document.title='run'>",
    "{{ 7 * 7 }}${7 * 7}<!--<script>",
    "javascript:document.title='run'",
)
MANY = 20_000
PATIENCE_MS = 3000
"""For one filter or sort of so many rows: on the slowest machine, with others at work."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


class Opened:
    """A page, what it complained of, and what it asked for."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.tab = browser.new_page(**how)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda said: self.complaints.append(said.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.tab.goto(file.as_uri())

    def rows(self, table: str = "connections") -> list[list[str]]:
        """The texts of the rows shown."""
        found: list[list[str]] = self.tab.eval_on_selector_all(
            f"#{table} tbody tr.row", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        )
        return found

    def names(self) -> list[str]:
        """The server names of the rows shown."""
        return [row[4] for row in self.rows()]

    def status(self) -> str:
        """What a screen reader is told of the connections."""
        return str(self.tab.inner_text("#connections [role=status]"))

    def search(self, text: str) -> None:
        """Type into the search field of the connections, and wait as a reader does."""
        self.tab.fill("#connections-search", text)
        self.tab.wait_for_timeout(400)


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Write a page of items and open it; in the end it must not have complained, nor asked for anything."""
    pages: list[Opened] = []

    def open_page(items: Iterable[Item], name: str = "report.html", **how: Any) -> Opened:
        file = tmp_path / name
        file.write_bytes(written(html.OUTPUT, items))
        pages.append(Opened(browser, file, **how))
        return pages[-1]

    yield open_page
    for page in pages:
        assert page.complaints == []
        assert len(page.requests) == 1, "the page itself"
        page.tab.close()


def test_it_opens_from_disk_and_shows_all_rows(opened: Any) -> None:
    page = opened(TROUBLES)
    assert page.status() == "4 rows"
    assert page.rows()[0][2:5] == ["192.0.2.10:50000", "198.51.100.5:5061", "sip.example.com"]
    assert page.tab.locator("details.trouble[open] svg.ladder").is_visible()
    assert len(page.rows("certificates")) == 3


def test_search_narrows_by_every_word(opened: Any) -> None:
    page = opened(TROUBLES)
    page.search("EXAMPLE.COM tlsv1.3")
    assert page.names() == ["b10.example.com"]
    assert page.status() == "1 of 4 rows"
    page.search("the summary of chain-order")
    assert page.names() == ["other.example.net"], "what a finding says is searched too"
    page.tab.click("#connections button:text-is('Clear')")
    assert page.status() == "4 rows"


def test_facets_narrow(opened: Any) -> None:
    page = opened(TROUBLES)
    page.tab.select_option("#connections-severity", label="none")
    assert len(page.rows()) == 2
    page.tab.select_option("#connections-version", label="TLSv1.3")
    assert page.names() == ["b10.example.com"]


def test_a_click_on_a_head_sorts_and_says_so(opened: Any) -> None:
    page = opened(TROUBLES)
    head = page.tab.locator("#connections th", has_text="name (SNI)")
    head.locator("button").click()
    assert page.names() == ["b9.example.com", "b10.example.com", "other.example.net", "sip.example.com"]
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert page.names()[0] == "sip.example.com"
    assert head.get_attribute("aria-sort") == "descending"


def test_the_keyboard_alone_opens_a_row(opened: Any) -> None:
    page = opened(TROUBLES)
    button = page.tab.locator("#connections tbody button").first
    button.focus()
    page.tab.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert "the advice of client-certificate-rejected" in page.tab.inner_text("#connections-details-0")
    page.tab.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "false"
    assert page.tab.locator("#connections-details-0").count() == 0


def test_a_row_leads_to_its_trouble_and_back(opened: Any) -> None:
    page = opened(TROUBLES)
    page.tab.locator("#connections tbody button").nth(1).click()
    page.tab.click("#connections-details-1 a")
    block = page.tab.locator("#trouble-1")
    assert block.get_attribute("open") is not None
    block.locator("button[data-group]").click()
    assert page.names() == ["other.example.net"]


def test_a_rule_of_the_summary_shows_its_connections(opened: Any) -> None:
    page = opened(TROUBLES)
    page.tab.click(".rules button:text-is('chain-order')")
    assert page.names() == ["other.example.net"]


def test_troubles_can_be_searched_opened_and_closed(opened: Any) -> None:
    page = opened(TROUBLES)
    page.tab.fill("#trouble-search", "other.example.net")
    page.tab.wait_for_timeout(400)
    assert page.tab.locator("details.trouble:visible").count() == 1
    page.tab.fill("#trouble-search", "")
    page.tab.click("#open-all")
    assert page.tab.locator("details.trouble[open]").count() == 2
    page.tab.click("#close-all")
    assert page.tab.locator("details.trouble[open]").count() == 0


def test_on_paper_every_trouble_is_open(opened: Any) -> None:
    page = opened(TROUBLES)
    page.tab.evaluate(
        "window.seen = 0; addEventListener('beforeprint', () => { seen = document.querySelectorAll('details[open]').length })"
    )
    page.tab.pdf()
    assert page.tab.evaluate("seen") == 2
    assert page.tab.locator("details.trouble[open]").count() == 1, "afterwards as before"


def test_many_inputs_are_folded_but_those_with_more_to_say(opened: Any) -> None:
    quiet = [summary(capture=f"{number}.pcap") for number in range(8)]
    page = opened([*TROUBLES, *quiet, full_summary()])
    fold = page.tab.locator("#summary details.quiet")
    assert "9 of 10 inputs" in fold.locator("summary").inner_text()
    assert not page.tab.get_by_role("heading", name="3.pcap").is_visible()
    fold.locator("summary").click()
    assert page.tab.get_by_role("heading", name="3.pcap").is_visible()
    assert opened([*TROUBLES, *quiet[:3]]).tab.locator("#summary details.quiet").count() == 0


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_stay_text(hostile: str, opened: Any) -> None:
    items: list[Item] = [everything(), failed(stream=1), healthy(stream=2), repeated(), full_summary()]
    page = opened([poisoned_item(item, hostile) for item in items])
    page.tab.click("#open-all")
    for button in page.tab.locator("table tbody button").all():
        button.click()
    page.tab.wait_for_timeout(200)
    assert page.tab.title() != "run"
    assert page.tab.locator("img, svg[onload], main script, main iframe").count() == 0
    assert hostile in page.tab.inner_text("#connections tbody")
    assert hostile in page.tab.inner_text("#certificates tbody")


def test_hostile_file_names_stay_text(opened: Any) -> None:
    name = "<img src=x onerror=document.title='run'>.pcap"
    page = opened([healthy(capture=name), healthy(capture="b.pcap"), summary(capture=name), summary(capture="b.pcap")])
    assert name in page.tab.inner_text("#summary")
    assert page.tab.title() == f"mtlscope: {name} and more"
    page.tab.select_option("#connections-capture", label=name)
    assert len(page.rows()) == 1


def test_twenty_thousand_connections_stay_usable(opened: Any) -> None:
    likeness = healthy()
    fail = failed()

    def many() -> Iterator[Item]:
        for stream in range(MANY):
            base = fail if stream % 10 == 0 else likeness
            yield replace(
                base,
                stream=stream,
                uid=f"C{stream:016}",
                client_port=1024 + stream,
                server_name=f"h{stream}.example.com",
            )
        yield summary(connections=MANY)

    page = opened(many())
    assert page.status() == "20,000 rows, 1 to 50 shown"
    spent = page.tab.evaluate(
        """() => { const start = performance.now();
        document.querySelectorAll('#connections th button')[3].click();
        const box = document.querySelector('#connections-search'); box.value = 'h1999'; box.dispatchEvent(new Event('input'));
        return performance.now() - start }"""
    )
    page.tab.wait_for_timeout(1000)
    assert spent < PATIENCE_MS
    assert page.status() == "11 of 20,000 rows"
    page.search("")
    page.tab.click("#connections button:text-is('Last')")
    assert len(page.rows()) == 50
    assert page.tab.evaluate("document.querySelectorAll('#connections tr').length") < 60


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window_in_both_schemes(width: int, scheme: str, opened: Any) -> None:
    page = opened(TROUBLES, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.tab.click("#open-all")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    page.tab.select_option("#theme", "light")
    assert page.tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_scripts_the_troubles_are_still_there(opened: Any) -> None:
    page = opened(TROUBLES, java_script_enabled=False)
    assert page.tab.locator("details.trouble").count() == 2
    assert "needs scripts" in page.tab.inner_text("#connections")
    assert page.tab.locator("#print").is_hidden()


def test_every_control_has_a_name(opened: Any) -> None:
    page = opened(TROUBLES)
    nameless = page.tab.evaluate(
        """() => [...document.querySelectorAll('button, input, select, [role=region], nav')].filter(node =>
        !(node.labels && node.labels.length) && !node.getAttribute('aria-label') && !node.textContent.trim()).length"""
    )
    assert nameless == 0
    levels = page.tab.eval_on_selector_all("h1, h2, h3, h4", "found => found.map(head => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), "no level is skipped"
    tables = page.tab.eval_on_selector_all("table", "found => found.map(table => table.caption.textContent)")
    assert tables == ["Connections, one a row", "Certificates, each once"]
