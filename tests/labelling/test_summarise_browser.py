"""The page in a real browser: what markup alone cannot prove."""

from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.page.conftest import Browse, browser  # noqa: F401
from tests.evaluation.page.test_browser import FAINT
from tests.labelling.test_labelled_files import DOWN, UP, labelled_article
from tests.labelling.test_summarise_page import HOSTILE, page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows: list[dict[str, Any]] = [
        labelled_article(f"{day}{source}", [{"oil": (UP, 0.9)}, {"oil": (DOWN, 0.2)}, {"gold": (UP, 0.8)}, {}] * 5, date=f"2024-05-{day}", source=source, title=HOSTILE)
        for day in ("06", "13", "27")
        for source in ("صحيفة السوق (الأولى)", HOSTILE, "\u202eoutlet", None)
    ]  # fmt: skip
    folder: Path = tmp_path_factory.mktemp("summary")
    return page(folder, *rows)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_dark_and_nothing_is_run(browser: Browse, html: str, dark: bool) -> None:  # noqa: F811
    driver = browser(html, dark=dark)
    number, faint = driver.execute_script(FAINT)
    assert number > 100 and not faint
    assert driver.get_log("browser") == []


def test_page_fits_a_phone(browser: Browse, html: str) -> None:  # noqa: F811
    driver = browser(html, width=360)
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_names_of_outlets_stay_in_their_place(browser: Browse, html: str) -> None:  # noqa: F811
    """No name runs out of its picture, and none over the counts at its right."""
    beyond = browser(html).execute_script("""
      return [...document.querySelectorAll("svg")].flatMap(svg => {
        const frame = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
        const out = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1);
        const over = boxes.filter(([one, a], place) => boxes.slice(place + 1).some(([other, b]) =>
          a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2));
        return [...out, ...over].map(([text]) => text);
      });""")
    assert beyond == []
