import pytest

from naba.corpus import boilerplate, dates


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("22nd, March 2024 GMT", "2024-03-22"),
        ("21st, June 2024 GMT", "2024-06-21"),
        ("4th, November 2023 GMT", "2023-11-04"),
        ("10/06/2024", "2024-06-10"),  # the day comes first
        ("17 يونيو 2025 - 12:27 م", "2025-06-17"),
        ("١٠/٠٦/٢٠٢٤", "2024-06-10"),
        ("۱۰/۰۶/۲۰۲۴", "2024-06-10"),
        ("٧ أكتوبر/تشرين الأول ٢٠٢٣", "2023-10-07"),
        ("5 كانون الثاني 2024", "2024-01-05"),
        ("12 جويلية 2016", "2016-07-12"),
        ("2023-01-24T17:24:00+02:00", "2023-01-24"),
        ("2024/3/5", "2024-03-05"),
        ("7 تشرين أول 2023", "2023-10-07"),
        ("5 كانون ثاني 2024", "2024-01-05"),
        ("31/02/2024", None),
        ("310/06/2024", None),
        ("قبل ساعتين", None),
    ],
)
def test_dates_of_every_form_become_iso(text: str, iso: str | None) -> None:
    assert dates.parse_date(text) == iso


def test_date_line_of_each_seed_form_is_whole() -> None:
    for line, iso in [
        ("تاريخ النشر: 22nd, March 2024 GMT", "2024-03-22"),
        ("نشر بتاريخ: 10/06/2024 ( آخر تحديث: 10/06/2024 الساعة: 19:55 )", "2024-06-10"),
    ]:
        assert dates.date_line(line) == (iso, len(line))


def test_date_glued_to_a_byline_ends_where_the_byline_begins() -> None:
    line = (
        "آخر تحديث: 17 يونيو 2025 - 12:27 م بغداد/ شبكة أخبار العراق- أعلنت وزارة الخارجية، الثلاثاء، التوصل إلى اتفاق."
    )
    found = dates.date_line(line)
    assert found is not None
    assert found[0] == "2025-06-17"
    assert line[found[1] :].strip().startswith("بغداد/ شبكة أخبار العراق-")


@pytest.mark.parametrize(
    ("line", "date", "rest"),
    [
        ("آخر تحديث: 17 يونيو 2025 - 12:27 م انتهت الحرب في غزة اليوم.", "2025-06-17", "انتهت الحرب في غزة اليوم."),
        ("نشر في: 3 آذار 2024 الأحد 10:00 GMT", "2024-03-03", ""),
        ("تاريخ النشر: منذ ساعتين", None, ""),
    ],
)
def test_text_after_a_date_is_kept(line: str, date: str | None, rest: str) -> None:
    found = dates.date_line(line)
    assert found is not None
    assert (found[0], line[found[1] :].strip()) == (date, rest)


def test_news_that_begins_like_a_date_line_is_prose() -> None:
    assert dates.date_line("آخر تحديث: مقتل خمسين في غارة على رفح") is None
    assert boilerplate.source_line("المصدر: قال مسؤول كبير إن المحادثات ستستأنف غدا في القاهرة بحضور الوسطاء.") is None


@pytest.mark.parametrize(
    "line", ["إقرأ أيضاً:", "إقرأ أيضًا:", "اقرأ أيضا", "إقرأ أیضاً:", "\u200fإقرأ أيضاً:", "اقرأ أيضاً…"]
)
def test_read_also_is_known_in_every_spelling(line: str) -> None:
    assert boilerplate.opens_embedded(boilerplate.plain(line))


def test_sentence_that_mentions_a_date_is_no_date_line() -> None:
    assert dates.date_line("واندلعت الحرب في 7 أكتوبر 2023.") is None


@pytest.mark.parametrize(
    ("line", "agency", "rest"),
    [
        ("القاهرة- معا- اتفق الرئيس", "معا", "اتفق الرئيس"),
        ("(CNN)-- شدد وزير", "CNN", "شدد وزير"),
        ("بغداد/ شبكة أخبار العراق- أعلنت وزارة", "شبكة أخبار العراق", "أعلنت وزارة"),
        ("رام الله - وفا - قال", "وفا", "قال"),
        ("واشنطن (رويترز) - قال", "رويترز", "قال"),
        ("دبي، الإمارات العربية المتحدة (CNN)-- قال", "CNN", "قال"),
        ("القدس - (أ ف ب) - قال", "أ ف ب", "قال"),
        ("بيروت - رويترز: قال", "رويترز", "قال"),
        ("غزة/ ١٢ مايو/ الأناضول/ قال", "الأناضول", "قال"),
    ],
)
def test_agency_lines_are_cut_off(line: str, agency: str, rest: str) -> None:
    found = boilerplate.byline_end(line)
    assert found is not None
    assert found[1] == agency
    assert line[found[0] :] == rest


@pytest.mark.parametrize(
    "line",
    [
        "المقاومة الإسلامية في لبنان - حزب الله - تعلن استهداف موقع",
        "يشعر الحلف الروسي – الإيراني – التركي بأنه ماض",
        "قال الوزير إن 5-6 أشخاص قتلوا",
        "الرئيس الأميركي - جو بايدن - أعلن",
        "حركة حماس – وفق مصادر – وافقت",
        "إيران – وسط التصعيد – تهدد",
        "إسرائيل / حماس: مفاوضات جديدة",
    ],
)
def test_sentences_with_dashes_are_no_agency_lines(line: str) -> None:
    assert boilerplate.byline_end(line) is None


@pytest.mark.parametrize(
    ("paragraph", "head", "advert"),
    [
        ("ترامب: أنجزوا الاتفاقوقد نقلت وكالة رويترز عن ترامب قوله", "ترامب: أنجزوا الاتفاق", False),
        ("إعلانوكتب ترامب على منصته", "إعلان", True),
    ],
)
def test_glued_heading_and_advert_are_found(paragraph: str, head: str, advert: bool) -> None:
    assert boilerplate.glued_heading(paragraph) == (len(head), advert)


@pytest.mark.parametrize(
    "paragraph",
    [
        "إعلانات كثيرة نشرت",
        "كان الموقد مشتعلا",
        "وقد نقلت وكالة",
        "أضرم مستوقد النار",
        "الشاب اللبناني المتوقد حماسا",
        "وكان بيتروأعلن فوزه",
        "جلس بجانب المستوقد حتى الصباح",
    ],
)
def test_ordinary_words_are_not_taken_apart(paragraph: str) -> None:
    assert boilerplate.glued_heading(paragraph) is None


def test_keywords_are_split_at_commas_where_there_are_any() -> None:
    assert boilerplate.split_keywords("غزة، وقف إطلاق النار، حماس") == ("غزة", "وقف إطلاق النار", "حماس")
    assert boilerplate.split_keywords("غزة حماس") == ("غزة", "حماس")


def test_keywords_lose_their_persian_letters() -> None:
    assert boilerplate.keywords_line(boilerplate.plain("كلمات دلالية: الخارجیة الأمیرکی")) == ("الخارجية", "الأميركي")
