import pytest

from naba.corpus.markup import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>قال &quot;لا&quot;</p>\n<p>وأضاف<br>أن <b>الحرب</b> انتهت</p>", 'قال "لا"\nوأضاف\nأن الحرب انتهت'),
        ("<p>قالت الحكومة أمس إن\nالمحادثات\nمستمرة</p>", "قالت الحكومة أمس إن المحادثات مستمرة"),
        ("فقرة<br>أولى\n\nفقرة ثانية", "فقرة\nأولى\nفقرة ثانية"),
        ("<b>فقرة</b> أولى\n\nفقرة ثانية", "فقرة أولى\nفقرة ثانية"),  # as content systems store what has no paragraphs
        ("نص<script>var a = '<p>';</script> وتتمة <img src='a.jpg' alt='x'/>", "نص وتتمة"),
        ("<p>نص<STYLE>p {}</style> وتتمة <noscript>بقية", "نص وتتمة بقية"),  # the last is never closed
        ("3 < 5 و<قال> R&D; لا وسم", "3 < 5 و<قال> R&D; لا وسم"),
        ("قال &quot;نعم&quot; <Reuters> <info@example.com>", 'قال "نعم" <Reuters> <info@example.com>'),
        ("<div>قال:<div> نعم", "قال:\nنعم"),
        ("<![CDATA[<p>قال</p>]]>", "قال"),
        ("<![CDATA[قال &amp; مضى]]>", "قال & مضى"),
        (
            "<!DOCTYPE html><html><head><title>عنوان</title></head><body><article>قال<time>أمس</time></article></body></html>",
            "قالأمس",
        ),
        ("<?xml version='1.0'?><p>قال</p>", "قال"),
        ("&lt;p&gt;قال &amp;quot;نعم&amp;quot;&lt;/p&gt;&lt;p&gt;وأضاف&lt;/p&gt;", "قال &quot;نعم&quot;\nوأضاف"),
        ("<p>قال <!-- <p>سر</p> --> نعم <!-- بلا نهاية</p>", "قال  نعم  بلا نهاية"),
        ("<p>قال <![foo نعم</p>", "قال <![foo نعم"),
        ("نص بلا وسوم\n\n  وسطر", "نص بلا وسوم\n\n  وسطر"),
    ],
)
def test_words_of_a_field_that_may_hold_html(text: str, words: str) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize("part", ["<a ", "<!--", "<script>", "<p>", " ", "&", "</style>", "<style>"])
def test_hostile_text_takes_no_longer_than_its_length(part: str) -> None:
    # A megabyte: what is quadratic would take hours, and the suite's own time limit would end it.
    words_of("<p>" + part * (1_000_000 // len(part)))
