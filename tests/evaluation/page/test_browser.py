"""The pages in a real browser: what markup alone cannot prove."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from naba.evaluation.page.render import html_comparison, html_report

pytestmark = pytest.mark.slow

Report = dict[str, Any]
Browse = Callable[..., Any]

FAINT = """
// Text whose colour stands out too little from what is behind it (WCAG 2.2, 1.4.3).
const channels = colour => colour.match(/[\\d.]+/g).map(Number);
const light = colour => channels(colour).slice(0, 3).map(part => part / 255)
  .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
const contrast = (one, other) => { const [low, high] = [light(one), light(other)].sort((a, b) => a - b); return (high + 0.05) / (low + 0.05); };
const behind = element => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if ((channels(colour)[3] ?? 1) > 0) return colour;
  }
};
const seen = [...document.querySelectorAll("body *")].filter(element =>
  !["SCRIPT", "STYLE", "title"].includes(element.tagName) && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
const found = seen.map(element => {
  const style = getComputedStyle(element);
  return [element.textContent.trim().slice(0, 40), contrast(element.namespaceURI.includes("svg") ? style.fill : style.color, behind(element))];
});
return [found.length, found.filter(([, value]) => !(value >= 4.5))];
"""

CELLS = """
// The darkest cell of a confusion: half of its colour over the page.
const root = getComputedStyle(document.body);
const cell = [...document.querySelectorAll("svg .f-blue[fill-opacity], svg .f-blue[opacity]")];
return cell.map(one => [getComputedStyle(one).fill, Math.max(0, one.getAttribute("fill-opacity") ?? one.getAttribute("opacity")), root.backgroundColor, root.color]);
"""


@pytest.fixture(scope="module")
def page(whole_report: Report) -> str:
    return html_report(whole_report)


def relative_luminance(colour: list[float]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def rgb(colour: str) -> list[float]:
    return [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("kind", ["report", "comparison"])
def test_text_stands_out_in_light_and_dark(
    browser: Browse, page: str, comparison: Report, kind: str, dark: bool
) -> None:
    driver = browser(page if kind == "report" else html_comparison(comparison), dark=dark)
    driver.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    number, faint = driver.execute_script(FAINT)
    assert number > 200 and not faint
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_stand_out_from_the_cells_of_a_confusion(browser: Browse, page: str, dark: bool) -> None:
    cells = browser(page, dark=dark).execute_script(CELLS)
    assert cells
    for fill, share, paper, ink in cells:
        behind = [share * one + (1 - share) * other for one, other in zip(rgb(fill), rgb(paper), strict=True)]
        low, high = sorted((relative_luminance(behind), relative_luminance(rgb(ink))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_switch_goes_from_the_system_to_light_to_dark(browser: Browse, page: str) -> None:
    driver = browser(page, dark=True)
    switch = driver.find_element("css selector", "button.theme")
    seen = []
    for _ in range(4):
        paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        seen.append((switch.text, sum(rgb(paper)) < 384))
        switch.click()
    assert seen == [
        ("Colours: as the system", True), ("Colours: light", False), ("Colours: dark", True), ("Colours: as the system", True),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("kind", ["report", "comparison"])
def test_page_is_never_wider_than_the_window(
    browser: Browse, page: str, comparison: Report, kind: str, width: int
) -> None:
    driver = browser(page if kind == "report" else html_comparison(comparison), width=width)
    driver.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    wide = "return [...document.querySelectorAll('.scroll, .drawing')].filter(box => box.scrollWidth > box.clientWidth).length"
    assert (driver.execute_script(wide) > 0) == (width == 360)  # there they scroll by themselves


def column(driver: Any, table: int, place: int) -> list[str]:
    script = "return [...document.querySelectorAll('table')[arguments[0]].tBodies[0].rows].map(row => row.cells[arguments[1]].textContent)"
    found: list[str] = driver.execute_script(script, table, place)
    return found


def test_tables_sort_by_click_and_by_key_with_what_is_missing_last(browser: Browse, page: str) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = browser(page)
    head = driver.find_elements("css selector", "table:first-of-type thead th")[3]
    button = head.find_element("css selector", "button")

    def values() -> list[float]:
        cells = column(driver, 0, 3)
        assert cells[-1] == "–"  # the baseline that is not to be had
        return [float(cell.split(" ")[0]) for cell in cells[:-1]]

    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values())
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)
    driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert head.get_attribute("aria-sort") == "ascending"
    name = driver.find_elements("css selector", "table:first-of-type thead th")[0]
    driver.execute_script("arguments[0].querySelector('button').click()", name)
    assert column(driver, 0, 0) == sorted(column(driver, 0, 0), key=str.casefold)
    assert head.get_attribute("aria-sort") is None


@pytest.mark.usefixtures("drawn_before")
def test_numbers_sort_as_numbers(browser: Browse, report: Report) -> None:
    shown = [one for one in report["slices"] if one["rank"]][:3]
    for one, segments in zip(shown, (9, 1000, 100), strict=True):
        one["segments"] = segments
    driver = browser(html_report(report | {"slices": shown}))
    tables = driver.find_elements("css selector", "table")
    place = next(n for n, table in enumerate(tables) if "Slices" in table.find_element("css selector", "caption").text)
    driver.execute_script("arguments[0].querySelectorAll('thead button')[1].click()", tables[place])
    assert column(driver, place, 1) == ["9", "100", "1,000"]


def test_arabic_runs_from_right_to_left_and_is_shaped_in_pictures(browser: Browse, report: Report) -> None:
    for part in ("systems", "comparisons"):
        report[part]["الدبلوماسية"] = report[part].pop("models/other")
    driver = browser(html_report(report))
    sides = driver.execute_script(
        "return [...document.querySelectorAll('.segment')].map(part => [getComputedStyle(part).direction, getComputedStyle(part).textAlign])"
    )
    assert sides and all(side == ["rtl", "start"] for side in sides)
    # Joined letters are narrower than the same letters by themselves, and the first stands at the right.
    script = """
    const title = [...document.querySelectorAll("svg text")].find(text => text.textContent === "الدبلوماسية");
    const joined = title.getComputedTextLength();
    const [first, last] = [title.getStartPositionOfChar(0).x, title.getStartPositionOfChar(10).x];
    title.textContent = [...title.textContent].join("\\u200c");
    return [joined, title.getComputedTextLength(), first, last];
    """
    joined, apart, first, last = driver.execute_script(script)
    assert joined < 0.9 * apart and first > last


def test_hostile_words_run_nothing(browser: Browse, report: Report, comparison: Report) -> None:
    words = "<script>window.hacked=1</script></style></title><img src=x onerror=window.hacked=1><svg onload=window.hacked=1>\u202e\x00"
    for one in report["errors"]["texts"]:
        one["text"] = words
    for one in report["slices"]:
        one["name"] = words
    report["run"] = words
    comparison["runs"][words] = comparison["runs"].pop("models/second")
    for html in (html_report(report), html_comparison(copy.deepcopy(comparison) | {"differences": []})):
        driver = browser(html)
        assert driver.execute_script("return [typeof window.hacked, document.images.length]") == ["undefined", 0]
        assert driver.get_log("browser") == []


def test_without_javascript_all_is_there_and_nothing_that_needs_it(browser: Browse, page: str) -> None:
    start = page.index("<script>")
    driver = browser(page[:start] + page[page.index("</script>") + len("</script>") :])
    assert (
        driver.execute_script(
            "return [...document.querySelectorAll('button')].filter(one => one.checkVisibility()).length"
        )
        == 0
    )
    assert driver.execute_script("return document.querySelectorAll('tbody tr').length") > 50


def test_picture_is_saved_with_its_colours(browser: Browse, page: str) -> None:
    driver = browser(page)
    script = """
    const kept = []; URL.createObjectURL = blob => { kept.push(blob); return "#"; }; URL.revokeObjectURL = () => {};
    document.querySelector("button.save").click();
    const done = arguments[arguments.length - 1]; kept[0].text().then(done);
    """
    saved = driver.execute_async_script(script)
    assert saved.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in saved and 'fill="#1c2126"' in saved
