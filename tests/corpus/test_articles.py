from pathlib import Path

import pytest

from naba.corpus.articles import parse_page
from naba.records import Article


@pytest.fixture(scope="module")
def seeds(root: Path) -> dict[str, list[Article]]:
    return {
        path.name[:3]: parse_page(path.stem, path.read_bytes().decode())
        for path in sorted((root / "seeds").glob("*.txt"))
    }


def texts(article: Article) -> list[str]:
    return [article.text[block.start : block.end] for block in article.blocks]


def test_seed_metadata(seeds: dict[str, list[Article]]) -> None:
    found = {name: (page[0].title, page[0].date, page[0].source) for name, page in seeds.items()}
    assert found == {
        "000": (
            "بلينكن مجددًا: أمريكا تواصل الضغط من أجل التوصل إلى اتفاق لإطلاق سراح الرهائن",
            "2024-03-22",
            "بوابة الوفد",
        ),
        "001": ("بلينكن يبحث وقف إطلاق النار بغزة مع مسؤولين إسرائيليين", "2024-06-21", "الحرة"),
        "002": (None, None, "بوابة الوفد"),
        "003": ("الرئيس المصري وبلينكن يتفقان على تعزيز جهود التوصل لهدنة بغزة", "2024-06-10", "معا"),
        "004": ("بلينكن من عمان: واشنطن ترفض وقف إطلاق النار في غزة لأنه يخدم حماس", "2023-11-04", "CNN Arabic"),
    }
    assert seeds["001"][0].keywords == ("الخارجية", "الأميركي", "الولايات", "المتحدة", "إطلاق", "النار")


def test_embedded_article_is_its_own_and_never_has_the_page_date(seeds: dict[str, list[Article]]) -> None:
    assert {name: len(page) for name, page in seeds.items()} == {"000": 2, "001": 2, "002": 2, "003": 1, "004": 2}
    for name in ("000", "001", "002", "004"):
        page, embedded = seeds[name]
        assert embedded.parent_id == page.id
        assert embedded.id == f"{page.id}#2"
        # 002's embedded article states a date of its own.
        assert embedded.date == ("2025-06-17" if name == "002" else None)
        assert max(block.end for block in page.blocks) < min(block.start for block in embedded.blocks)


def test_no_boilerplate_is_left_in_any_block(seeds: dict[str, list[Article]]) -> None:
    furniture = ["المصدر:", "كلمات دلالية", "إقرأ أيضاً", "مقالات مشابهة", "تاريخ النشر", "نشر بتاريخ", "آخر تحديث", "•"]
    furniture += ["صور أقمار صناعية", "(CNN)--", "القاهرة- معا-", "شبكة أخبار العراق-"]
    for page in seeds.values():
        for article in page:
            for text in texts(article):
                assert not [piece for piece in furniture if piece in text], text
                assert not text.startswith("إعلان")
                assert text == text.strip()


def test_page_without_headline_begins_with_its_first_paragraph(seeds: dict[str, list[Article]]) -> None:
    first = seeds["002"][0]
    assert first.blocks[0].kind == "paragraph"
    assert texts(first)[0].startswith("قال وزير الخارجية الأميركي أنتوني بلينكن اليوم الخميس")


def test_link_list_after_the_embedded_article_belongs_to_nobody(seeds: dict[str, list[Article]]) -> None:
    assert texts(seeds["002"][1])[-1].endswith("طيلة فترة إغلاق الأجواء العراقية.")


def test_glued_heading_becomes_a_headline_and_the_advert_word_disappears(seeds: dict[str, list[Article]]) -> None:
    blocks = texts(seeds["004"][1])
    place = blocks.index("ترامب: أنجزوا الاتفاق")
    assert seeds["004"][1].blocks[place].kind == "headline"
    assert blocks[place + 1].startswith("وقد نقلت وكالة رويترز")
    assert any(text.startswith("وكتب ترامب على منصته") for text in blocks)


def test_same_report_on_two_pages_has_the_same_paragraphs(seeds: dict[str, list[Article]]) -> None:
    first = [" ".join(text.split()) for text in texts(seeds["000"][0])[1:]]  # 000 has a headline
    second = [" ".join(text.split()) for text in texts(seeds["002"][0])]
    assert first == second


def test_what_is_known_from_outside_wins(seeds: dict[str, list[Article]]) -> None:
    page = parse_page(
        "x",
        "تاريخ النشر: 22nd, March 2024 GMT\nقال الوزير شيئا.",
        title="عنوان",
        date="2020-01-01",
        source="س",
        url="u",
    )
    assert (page[0].title, page[0].date, page[0].source, page[0].url) == ("عنوان", "2020-01-01", "س", "u")
    assert texts(page[0]) == ["قال الوزير شيئا."]


def test_windows_line_ends_and_blank_pages() -> None:
    page = parse_page("x", "عنوان الخبر\r\nتاريخ النشر: 1/2/2024\r\nقال الوزير.\r\n")[0]
    assert texts(page) == ["عنوان الخبر", "قال الوزير."]
    assert parse_page("x", " \n\n")[0].blocks == ()


def test_tags_stamps_and_buttons_of_a_page_are_left_out() -> None:
    lines = [
        "قال الوزير إن المحادثات مستمرة.",
        "تصفح المزيد",
        "طوفان الأقصى",
        "المقاومة الفلسطينية",
        "اليوم 06:42",
        "20 اب",
    ]
    lines += ["٢٤ آب ١٠:٠٥", "وأضاف أنه متفائل.", "أزمة الوقود", "وتابع حديثه للصحفيين.", "جميع الحقوق محفوظة"]
    page = parse_page("x", "\n".join(lines), title="عنوان")[0]
    # One short line alone may be a heading; two in a row are tags.
    assert texts(page) == [lines[0], "وأضاف أنه متفائل.", "أزمة الوقود", "وتابع حديثه للصحفيين."]


def test_link_box_amid_the_article_takes_only_its_links() -> None:
    body = [f"وقال المتحدث رقم {i} إن المحادثات مستمرة في القاهرة حتى نهاية هذا الأسبوع." for i in range(3)]
    box = [body[0], "أخبار ذات صلة", "رابط أول إلى خبر", "• رابط ثان إلى خبر", body[1], body[2], "المصدر: وفا"]
    (page,) = parse_page("x", "\n".join(box), title="عنوان")
    assert texts(page) == body
    assert page.source == "وفا"
    also = [
        body[0],
        "اقرأ أيضاً:",
        "خبر آخر لا علاقة له",
        body[1],
        "المصدر: وفا",
        "إقرأ أيضاً:",
        "عنوان الخبر الثاني",
        body[2],
    ]
    page, embedded = parse_page("x", "\n".join(also), title="عنوان")
    assert texts(page) == body[:2]
    assert (embedded.title, texts(embedded)[1:]) == ("عنوان الخبر الثاني", body[2:])


def test_bulleted_body_text_is_kept() -> None:
    lines = ["وجاء في البيان ما يلي.", "• وقف إطلاق النار فورا.", "• فتح المعابر كافة."]
    assert texts(parse_page("x", "\n".join(lines), title="عنوان")[0]) == lines


def test_paragraph_repeated_by_the_page_is_read_once() -> None:
    lines = ["قال الوزير إن المحادثات مستمرة اليوم.", "وأضاف أنه متفائل.", "قال الوزير إن  المحادثات مستمرة اليوم."]
    assert texts(parse_page("x", "\n".join(lines), title="عنوان")[0]) == lines[:2]


def test_question_is_a_headline_and_a_byline_is_none() -> None:
    assert parse_page("x", "هل تنتهي الحرب قريبا؟\nقال الوزير إنه متفائل.")[0].title == "هل تنتهي الحرب قريبا؟"
    page = parse_page("x", "القاهرة- معا- اتفق الرئيسان على الهدنة\nوقال البيان إنهما متفائلان.")[0]
    assert (page.title, page.source, texts(page)[0]) == (None, "معا", "اتفق الرئيسان على الهدنة")
