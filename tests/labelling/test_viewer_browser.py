"""The page of labelled articles in a real browser: filters, keys, hostile text, many segments."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.evaluation.page.conftest import Browse, browser  # noqa: F401
from tests.evaluation.page.test_browser import FAINT
from tests.labelling.test_viewer import HOSTILE, Row, Write, article, page, segment

pytestmark = pytest.mark.slow

Open = Callable[..., Any]

ROWS = [
    article(
        1,
        segment("دعا الوزير إلى هُدنة في غزّة", diplomacy=("support", 0.9), military_action=None) | {"kind": "headline"},
        segment("رفض القائد وقف القصف", diplomacy=("oppose", 0.6), military_action=("support", 0.8)),
        segment("افتتح المعرض أبوابه", diplomacy=None, military_action=None),
        date="2024-05-31",
        source="وكالة ا",
        url="https://example.test/1",
    ),
    article(
        2,
        segment("التقى الأمير السفير", diplomacy=("neutral", 0.7), military_action=None),
        date="2024-06-02",
        source="وكالة ب",
    ),
    article(3, segment("قصف الجيش مواقع", diplomacy=None, military_action=("neutral", 0.95), windows=2)),
]


@pytest.fixture
def opened(browser: Browse, write_rows: Write) -> Open:  # noqa: F811
    """Open the page of rows: `opened(rows, width=360)`."""

    def open_page(rows: list[Row] = ROWS, hash: str = "", **options: Any) -> Any:
        driver = browser(page(write_rows, rows), **options)
        if hash:
            driver.get(driver.current_url + hash)
            driver.refresh()
        driver.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
        return driver

    return open_page


def shown(driver: Any) -> list[str]:
    script = "return [...document.querySelectorAll('li.said')].filter(one => one.checkVisibility()).map(one => one.querySelector('p').textContent)"
    texts: list[str] = driver.execute_script(script)
    return texts


def status(driver: Any) -> str:
    text: str = driver.find_element("css selector", ".status").text
    return text


def counts(driver: Any, kind: str) -> list[str]:
    script = "return [...document.querySelectorAll(`[name=${arguments[0]}]`)].map(one => one.parentElement.querySelector('output').textContent)"
    found: list[str] = driver.execute_script(script, kind)
    return found


def fill(driver: Any, **values: Any) -> None:
    """Set filters as a user does, and wait for what they change."""
    script = """
    const [values, done] = arguments;
    const form = document.querySelector(".filters form");
    for (const [name, value] of Object.entries(values)) {
      const input = form.elements[name.replaceAll("_", "-")];
      if (input instanceof RadioNodeList) [...input].forEach((box, at) => { box.checked = value.includes(at); });
      else if (input.type === "checkbox") input.checked = value;
      else input.value = value;
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(done, 400);
    """
    driver.execute_async_script(script, values)


TALKS, REFUSAL, FAIR, MEETING, STRIKE = (one["text"] for row in ROWS for one in row["segments"])


def test_all_is_shown_from_right_to_left_without_a_complaint(opened: Open) -> None:
    driver = opened()
    assert shown(driver) == [TALKS, REFUSAL, FAIR, MEETING, STRIKE]
    assert status(driver) == "5 of 5 segments in 3 of 3 articles"
    assert counts(driver, "topic") == ["3", "2", "1"]
    assert counts(driver, "stance") == ["2", "1", "2"]
    sides = driver.execute_script(
        "return [...document.querySelectorAll('.said p, .articles h2')].map(one => [getComputedStyle(one).direction, getComputedStyle(one).textAlign])"
    )
    assert all(side == ["rtl", "start"] for side in sides)
    # The first topic's label is at the right of the second's, and each reads from left to right.
    first, second = driver.find_elements("css selector", "li:nth-child(2) .chip")
    assert first.location["x"] > second.location["x"]
    topic, stance = first.find_elements("css selector", "b, i")
    assert topic.location["x"] < stance.location["x"]
    assert (topic.text, stance.text) == ("diplomacy", "oppose")
    sign = driver.execute_script("return getComputedStyle(arguments[0], '::before').content", stance)
    assert "▼" in sign
    assert driver.get_log("browser") == []


def test_filters_narrow_each_other_and_counts_follow(opened: Open) -> None:
    driver = opened()
    fill(driver, topic=[0])
    assert shown(driver) == [TALKS, REFUSAL, MEETING]
    assert counts(driver, "topic") == ["3", "2", "1"]  # what each would give, were it the one
    assert counts(driver, "stance") == ["1", "1", "1"]
    fill(driver, stance=[0])
    assert shown(driver) == [TALKS]  # not the refusal: its support is of another topic
    assert counts(driver, "topic") == ["1", "1", "0"]
    fill(driver, topic=[0, 1])
    assert shown(driver) == [TALKS, REFUSAL]
    fill(driver, topic=[2], stance=[])
    assert shown(driver) == [FAIR]
    fill(driver, topic=[])
    assert len(shown(driver)) == 5


def test_least_probabilities_are_those_of_one_and_the_same_label(opened: Open) -> None:
    driver = opened()
    fill(driver, topic_probability="0.7")
    assert shown(driver) == [TALKS, REFUSAL, MEETING, STRIKE]
    fill(driver, topic_probability="0.7", topic=[0])
    assert shown(driver) == [TALKS, MEETING]
    fill(driver, topic_probability="0", stance_probability="0.9", topic=[])
    assert shown(driver) == [TALKS, STRIKE]
    fill(driver, stance_probability="0.9", topic=[2])
    assert shown(driver) == [FAIR]  # asked for by name, it has no probability to fall short with
    assert driver.find_element("css selector", "[name=stance-probability]").get_attribute("value") == "0.9"


def test_source_and_dates_choose_articles(opened: Open) -> None:
    driver = opened()
    options = driver.execute_script("return [...document.querySelector('select').options].map(one => one.textContent)")
    assert options == ["all sources", "وكالة ا (3)", "وكالة ب (1)", "no source stated (1)"]
    fill(driver, source="وكالة ب")
    assert shown(driver) == [MEETING]
    fill(driver, source="(none)")
    assert shown(driver) == [STRIKE]
    fill(driver, **{"source": "", "from": "2024-06-01"})
    assert shown(driver) == [MEETING]
    fill(driver, **{"from": "", "to": "2024-05-31"})
    assert shown(driver) == [TALKS, REFUSAL, FAIR]
    fill(driver, **{"from": "2025-01-01", "to": ""})
    assert shown(driver) == [] and driver.find_element("css selector", ".nothing").is_displayed()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("هدنه غزة", [TALKS]),  # without vowel signs, haa for taa marbuta, in any order
        ("غزه هدنة", [TALKS]),
        ("الامير", [MEETING]),
        ("قـــصف", [REFUSAL, STRIKE]),
        (".* (", []),
        ("ـ", [TALKS, REFUSAL, FAIR, MEETING, STRIKE]),
    ],
)
def test_words_are_found_however_they_are_spelt(opened: Open, words: str, found: list[str]) -> None:
    driver = opened()
    fill(driver, words=words)
    assert shown(driver) == found


def test_words_found_are_marked(opened: Open) -> None:
    driver = opened()
    fill(driver, words="هدنه")
    script = "return [...CSS.highlights.get('found')].map(range => range.startContainer.data.slice(range.startOffset, range.endOffset))"
    assert driver.execute_script(script) == ["هُدنة"]


def test_whole_articles_are_shown_around_what_is_found(opened: Open) -> None:
    driver = opened()
    fill(driver, words="القائد", whole=True)
    assert shown(driver) == [TALKS, REFUSAL, FAIR]
    assert status(driver) == "1 of 5 segments in 1 of 3 articles"
    around = "return [...document.querySelectorAll('.around p')].map(one => one.textContent)"
    assert driver.execute_script(around) == [TALKS, FAIR]


def test_filters_are_kept_in_the_address_and_cleared(opened: Open) -> None:
    driver = opened()
    fill(driver, topic=[0], words="الامير", topic_probability="0.65")
    assert shown(driver) == [MEETING]
    hash = driver.execute_script("return location.hash")
    again = opened(hash=hash)
    assert shown(again) == [MEETING]
    again.execute_async_script(
        "const [done] = arguments; document.querySelector('[type=reset]').click(); setTimeout(done, 400)"
    )
    assert len(shown(again)) == 5 and again.execute_script("return location.hash") == ""
    strange = opened(hash="#topic=nothing&source=nobody&topic-probability=x&from=never")
    assert len(shown(strange)) == 5
    assert [one for one in strange.get_log("browser") if one["level"] == "SEVERE"] == []


def test_probabilities_come_by_key_by_mouse_and_by_press(opened: Open) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver = opened()
    driver.execute_script("document.body.style.paddingBottom = '100rem'")  # room to scroll
    tip = driver.find_element("id", "probabilities")
    first, second = driver.find_elements("css selector", "button.answer")[:2]
    ActionChains(driver).move_to_element(second).perform()
    assert tip.is_displayed()
    rows = [
        [cell.text for cell in row.find_elements("css selector", "th, td")]
        for row in tip.find_elements("css selector", "tr")
    ]
    assert rows == [
        ["", "topic", "support", "oppose", "neutral"],
        ["✓ diplomacy", "0.60", "0.20", "0.60", "0.20"],
        ["✓ military action", "0.80", "0.80", "0.10", "0.10"],
    ]
    assert second.get_attribute("aria-describedby") == "probabilities"
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert not tip.is_displayed()
    driver.execute_script("document.querySelector('.articles h2 a').focus()")
    driver.switch_to.active_element.send_keys(Keys.TAB)  # the link to the article
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element == first and tip.is_displayed()
    assert abs(below := tip.rect["y"] - first.rect["y"]) < 200
    driver.execute_async_script("scrollBy(0, 30); requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert tip.is_displayed() and abs(tip.rect["y"] - first.rect["y"] - below) < 2  # it goes with its label
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert first.get_attribute("aria-expanded") == "true" and not tip.is_displayed()
    panel = driver.find_element("css selector", ".panel")
    assert "Segment s, characters 0–28 of the article" in panel.text and "0.90" in panel.text
    driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert first.get_attribute("aria-expanded") == "false" and not driver.find_elements("css selector", ".panel")


def test_filters_work_by_keys_alone(opened: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = opened()
    driver.find_element("css selector", "[name=words]").send_keys("المعرض", Keys.TAB, Keys.SPACE)
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    assert driver.switch_to.active_element.get_attribute("value") == "diplomacy"
    assert status(driver) == "0 of 5 segments in 0 of 3 articles"
    driver.switch_to.active_element.send_keys(Keys.SPACE)
    driver.execute_async_script("setTimeout(arguments[0], 400)")
    assert shown(driver) == [FAIR]


def test_everything_that_takes_input_has_a_name(opened: Open) -> None:
    driver = opened()
    for one in driver.find_elements("css selector", "input, select, button, summary, a"):
        if one.is_displayed():
            assert one.accessible_name, one.get_attribute("outerHTML")
    assert driver.find_element("css selector", "button.answer").accessible_name == "diplomacy support"


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_and_fits_in_a_phone(opened: Open, dark: bool) -> None:
    driver = opened(width=360, dark=dark)
    driver.execute_script(
        "for (const part of document.querySelectorAll('details')) part.open = true; for (const one of document.querySelectorAll('button.answer')) one.click()"
    )
    number, faint = driver.execute_script(FAINT)
    assert number > 60 and not faint
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    wide = "return [...document.querySelectorAll('.panel')].filter(one => one.scrollWidth > one.clientWidth).length"
    assert driver.execute_script(wide) == 0


def test_hostile_text_runs_nothing_and_turns_nothing_round(opened: Open) -> None:
    said = segment(HOSTILE, stances=(HOSTILE, "b"), **{HOSTILE: (HOSTILE, 0.9)}) | {"id": HOSTILE}
    rows = [article(1, said, source=HOSTILE, title=HOSTILE, url="javascript:window.hacked=1")]
    driver = opened(rows)
    assert driver.get_log("browser") == []
    driver.find_element("css selector", "button.answer").click()
    fill(
        driver,
        source=driver.find_elements("css selector", "option")[1].get_attribute("value"),
        topic=[0],
        words="<script>",
    )
    assert len(shown(driver)) == 1 and "⟦U+202E⟧" in shown(driver)[0]
    hash = driver.execute_script("return location.hash")
    again = opened(rows, hash=hash)
    assert len(shown(again)) == 1
    script = "return [typeof window.hacked, document.images.length, document.scripts.length, document.body.innerText.includes('\\u202e')]"
    assert again.execute_script(script) == ["undefined", 0, 2, False]
    assert again.get_log("browser") == []


def test_a_megabyte_of_one_segment_opens_on_demand(opened: Open) -> None:
    driver = opened([article(1, segment("كلمة " * 200_000 + "الخاتمة", diplomacy=None))])
    rest = driver.find_element("css selector", ".rest")
    assert driver.find_element("css selector", ".said > p").size["height"] < 2500
    fill(driver, words="الخاتمه")
    assert status(driver) == "1 of 1 segments in 1 of 1 articles"  # what is not shown is searched too
    driver.execute_script("arguments[0].querySelector('summary').click()", rest)
    assert rest.size["height"] > 20_000
    assert driver.get_log("browser") == []


def test_without_javascript_all_is_read_and_nothing_asks_for_it(
    opened: Open,
    browser: Browse,  # noqa: F811
    write_rows: Write,
) -> None:
    html = page(write_rows, ROWS)
    start = html.rindex("<script>")
    driver = browser(html[:start] + html[html.rindex("</script>") + len("</script>") :])
    assert shown(driver) == [TALKS, REFUSAL, FAIR, MEETING, STRIKE]
    assert not driver.find_element("css selector", ".filters").is_displayed()


def test_ten_thousand_segments_are_passed_over_till_they_are_near(opened: Open) -> None:
    """Bounded by what is laid out and by elements a segment, for times on a busy machine say nothing."""
    rows = [
        article(
            n,
            *(
                segment(f"فقرة {n} {m} " + "كلمة " * 40, diplomacy=("neutral", 0.9) if m % 7 == 0 else None)
                for m in range(25)
            ),
        )
        for n in range(400)
    ]
    driver = opened(rows)
    assert status(driver) == "10,000 of 10,000 segments in 400 of 400 articles"
    assert driver.execute_script("return document.getElementsByTagName('*').length") < 8 * 10_000
    laid_out = "return [...document.querySelectorAll('li.said > p')].filter(one => one.checkVisibility({contentVisibilityAuto: true})).length"
    assert 0 < driver.execute_script(laid_out) <= 100
    scroll = """
    const [done] = arguments;
    let frames = 0;
    const step = () => { scrollBy(0, 700); if (++frames < 40) requestAnimationFrame(step); else done(scrollY); };
    requestAnimationFrame(step);
    """
    assert driver.execute_async_script(scroll) == 40 * 700  # nothing jumps under the reader
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert 0 < driver.execute_script(laid_out) <= 100
    changes = """
    const [done] = arguments;
    let count = 0;
    new MutationObserver((seen) => { count += seen.length; }).observe(document.querySelector("#articles"), { subtree: true, childList: true, attributes: true });
    const form = document.querySelector(".filters form");
    form.elements.topic[0].checked = true;
    form.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => done(count), 1500);
    """
    # 8,400 segments go, and each of 800 blocks may hide and has its height estimated.
    assert driver.execute_async_script(changes) <= 8_400 + 2 * 800 + 10
    assert status(driver) == "1,600 of 10,000 segments in 400 of 400 articles"
    assert driver.execute_script("return scrollY") < 200  # what is found is before the reader's eyes
    assert driver.get_log("browser") == []


def test_probabilities_of_a_screened_segment_are_the_first_stages(opened: Open) -> None:
    rows = [article(1, ROWS[0]["segments"][1], ROWS[0]["segments"][2] | {"screened": True})]
    driver = opened(rows)
    captions = []
    for button in driver.find_elements("css selector", "button.answer"):
        button.click()
        panel = button.find_element("xpath", "following-sibling::div")
        captions.append(panel.find_element("css selector", "caption").text)
    assert "first stage" not in captions[0]
    assert captions[1].startswith("Screened: the model did not read this. The first stage’s probability")
    assert driver.get_log("browser") == []
