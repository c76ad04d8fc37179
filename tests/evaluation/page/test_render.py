import base64
import hashlib
import json
import re
from html import unescape
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from naba.evaluation.page.render import LARGEST, html_comparison, html_report
from naba.evaluation.report import markdown
from naba.evaluation.wording import NAMES, systems_rows

Report = dict[str, Any]
STEERING = re.compile("[\x00\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def part(html: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.S)
    assert found
    return found[1]


def mark(content: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


def anchors(html: str) -> tuple[list[str], list[str]]:
    """Where the contents lead, and the sections there are."""
    contents = re.findall(r'<li><a href="#([^"]+)">', html)
    sections = re.findall(r'<h2 id="([^"]+)"', html)
    return contents, [section for section in sections if section != "warnings"]


@pytest.mark.usefixtures("few_pictures")
def test_same_report_gives_the_same_bytes(report: Report) -> None:
    html = html_report(report)
    assert html == html_report(json.loads(json.dumps(report)))
    assert len(html.encode()) < LARGEST


@pytest.mark.usefixtures("drawn_before")
def test_page_loads_nothing_and_runs_only_what_its_policy_names(report: Report, comparison: Report) -> None:
    for html in (html_report(report), html_comparison(comparison)):
        policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', html)
        assert policy
        allowed = dict(directive.split(" ", 1) for directive in policy[1].split("; "))
        assert allowed == {
            "default-src": "'none'",
            "style-src": mark(part(html, "style")),
            "script-src": mark(part(html, "script")),
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        assert not re.search(r"<[^>]*\s(style|on\w+|src)\s*=", html)
        assert not re.search(r'href="(?!#)', html)
        assert "http://" not in html and "https://" not in html and "@import" not in html and "url(h" not in html


@pytest.mark.usefixtures("drawn_before")
def test_contents_name_every_section_and_no_other(report: Report, comparison: Report) -> None:
    for html in (html_report(report), html_comparison(comparison)):
        contents, sections = anchors(html)
        assert contents == sections
    assert "behaviour" in anchors(html_report(report))[1] and "Precision over recall of oil" in html_report(report)


@pytest.mark.usefixtures("drawn_before")
def test_ids_are_unique_and_what_they_are_named_by_is_there(report: Report) -> None:
    html = html_report(report)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    named = re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^")]+)', html)
    assert named and set(named) <= set(ids)


def tables_of(html: str) -> dict[str, list[list[str]]]:
    """Caption → the cells of every row, the head first."""
    found = {}
    for one in re.findall(r"<table.*?</table>", html, re.S):
        cells = [
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", one, re.S)
        ]
        plain = [[" ".join(unescape(re.sub("<[^>]+>", "", cell)).split()) for cell in row] for row in cells]
        found[re.findall("<caption>(.*?)</caption>", one)[0]] = plain
    return found


def rows_under(text: str, heading: str) -> list[list[str]]:
    """The cells of the first Markdown table under a heading, the head first."""
    lines = text.partition(f"\n## {heading}")[2].partition("\n## ")[0].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    body = list(takewhile(lambda line: line.startswith("|"), lines[first:]))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in (body[0], *body[2:])]


@pytest.mark.usefixtures("drawn_before")
def test_figures_are_those_of_the_markdown(report: Report) -> None:
    html, text = html_report(report), markdown(report)
    tables = tables_of(html)
    for heading, caption in {
        "This run minus": "This run minus the others, (topic, stance) pair F1",
        "Calibration": "Calibration errors before and after the temperatures",
        "Thresholds": "Operating points",
        "Behaviour tests": "Kinds of behaviour tests",
        "Errors": "Kinds of mistakes",
    }.items():
        assert rows_under(text, heading) == tables[caption], heading
    slices = rows_under(text, "Slices")
    assert slices == tables["Slices, the worst first"][: len(slices)] and len(slices) > 3
    for heading, caption, names in (
        ("Topics", "Topics", 1),
        ("Stances", "Stances, given the gold topic", 2),
        ("(topic, stance) pairs", "(topic, stance) pairs, end to end", 2),
    ):
        for row, shown in zip(rows_under(text, heading)[1:], tables[caption][1:], strict=True):
            assert row[:names] == shown[:names]
            assert row[names : names + 3] == [cell.partition(" ")[0] for cell in shown[names : names + 3]]
            assert row[names + 3] == shown[names + 4]  # between them stands how often it was said
    systems = tables["Systems side by side, with 95 % intervals"][1:]
    assert [row[:5] for row in systems] == systems_rows(report)


@pytest.mark.usefixtures("drawn_before")
def test_points_are_named_in_words_and_the_one_in_use_is_among_them(report: Report) -> None:
    names = [row[1] for row in tables_of(html_report(report))["Operating points"][1:] if row[0] == "oil"]
    assert names[:3] == [
        "in use",
        "chosen on validation, shrunk towards 0.5",
        "raw optimum on validation (within 0.05 to 0.95)",
    ]
    for made in (html_report(report), markdown(report)):
        assert "is what the run uses" not in made and "unshrunk" not in made
        assert "95 % intervals, segments taken for independent" in made


@pytest.mark.usefixtures("drawn_before")
def test_p_is_never_nothing(report: Report) -> None:
    for row in report["comparisons"].values():
        row["mcnemar"]["p"] = 0.0
        for found in row["differences"].values():
            found |= {"p": 0.0005, "p_holm": 0.00099}
    html, text = html_report(report), markdown(report)
    (rows,) = (rows for name, rows in tables_of(html).items() if name.endswith("pair F1") and "minus" in name)
    assert {(row[2], row[3]) for row in rows[1:]} == {("< 0.001", "< 0.001")}
    assert "p &lt; 0.001, with Holm&#39;s correction p &lt; 0.001" in html
    assert "| < 0.001 | < 0.001 |" in text


@pytest.mark.usefixtures("drawn_before")
def test_report_without_a_pair_to_find_speaks_of_none(report: Report) -> None:
    model = report["systems"]["model"]
    for part in report["systems"].values():
        if "scores" in part:
            part["scores"]["pairs"] |= {"precision": None, "recall": None, "f1": None, "support": 0, "predicted": 0}
            part["scores"]["exact_match"] = None
            part["intervals"] |= {"pairs.f1": None, "exact_match": None}
            part["detectable"] |= {"pairs.f1": None}
    for row in report["comparisons"].values():
        del row["differences"]["pairs.f1"]
    assert model["scores"]["topics"]["macro_f1"] is not None
    html, text = html_report(report), markdown(report)
    assert "Of the 0" not in html and "None" not in tables_of(html)["Systems side by side, with 95 % intervals"][1]
    assert "there is no (topic, stance) pair to find; this run names 0" in html
    assert "nothing can be compared" in text and "None" not in text.replace("commit None", "")


@pytest.mark.usefixtures("drawn_before")
def test_warnings_stand_before_everything_else(report: Report) -> None:
    html = html_report(report)
    warning = html.index("7 segments share an article or text with the training data: the scores are too high")
    assert warning < html.index('aria-label="Contents"')
    assert "96 segments were authored, not published" in html


@pytest.mark.usefixtures("drawn_before")
def test_page_without_anything_to_warn_of_has_no_warnings(report: Report) -> None:
    report["leaks"]["in_training"], report["authored"] = 0, 0
    assert 'class="warnings"' not in html_report(report)
    report["leaks"] |= {"in_training": 7, "dropped": True}
    assert 'class="warnings"' not in html_report(report)
    for made in (html_report(report), markdown(report)):
        assert "7 more share an article or text with the training data and were left out" in made


@pytest.mark.usefixtures("drawn_before")
def test_reading_names_best_baseline_and_whether_the_difference_holds(report: Report) -> None:
    found = report["comparisons"]["tfidf"]["differences"]["pairs.f1"]
    found |= {"value": -0.05, "interval": [-0.09, -0.01], "p": 0.004, "p_holm": 0.008}
    html = html_report(report)
    assert f"The best baseline, {NAMES['tfidf']}, has pair F1" in html
    assert (
        "the difference is -0.050 [-0.090, -0.010], p = 0.004, with Holm&#39;s correction p = 0.008: this run is worse"
        in html
    )


@pytest.mark.usefixtures("few_pictures")
def test_format_2_has_no_curves_and_no_behaviour_tests(report: Report) -> None:
    assert report["format"] == 3  # elsewhere; here an older one
    report["format"] = 2
    del report["curves"], report["behaviour"]
    html = html_report(report)
    assert "Precision over recall" not in html and "Behaviour tests" not in html


@pytest.mark.usefixtures("few_pictures")
@pytest.mark.parametrize("name", ["test", "seed-gold"])
def test_committed_reports_can_be_shown(root: Path, name: str) -> None:
    path = root / "models" / "naba-news" / "reports" / name / "report.json"
    html = html_report(json.loads(path.read_text(encoding="utf-8")))
    contents, sections = anchors(html)
    assert contents == sections and len(html.encode()) < LARGEST


@pytest.mark.usefixtures("few_pictures")
def test_parts_that_are_missing_leave_no_holes(report: Report) -> None:
    missing = {"history": None, "best_step": None, "trust": None, "slices": [], "comparisons": {}, "readings": None}
    contents, sections = anchors(html_report(report | missing | {"curves": None, "behaviour": None}))
    assert contents == sections == ["result", "systems", "topics", "stances", "pairs", "errors", "how"]


@pytest.mark.usefixtures("few_pictures")
def test_report_of_a_system_without_probabilities_can_be_shown(report: Report) -> None:
    empty = {
        "most_confident": None,
        "on_differing": [],
        "suspects": None,
        "suspected": None,
        "where_readers_differ": None,
    }
    report["errors"] |= empty | {"why_no_suspects": "the system gives no probabilities", "texts": []}
    html = html_report(report | {"trust": None, "curves": None, "commit": None, "train": None})
    assert "Label errors were not looked for: the system gives no probabilities." in html


@pytest.mark.usefixtures("drawn_before")
def test_only_baseline_that_is_missing_says_why(report: Report) -> None:
    assert "not to be had: the run has no encoder" in html_report(report)


@pytest.mark.usefixtures("drawn_before")
def test_report_without_texts_shows_ids_and_says_so(report: Report) -> None:
    words = [one["text"] for one in report["errors"]["texts"]]
    assert words and words[0] in html_report(report)
    report["errors"]["texts"] = None
    html = html_report(report)
    assert not any(text in html for text in words)
    assert report["errors"]["most_confident"][0]["place"]["id"] in html
    assert "without the words of the data" in html


@pytest.mark.usefixtures("drawn_before")
def test_arabic_text_is_set_from_right_to_left(report: Report) -> None:
    text = report["errors"]["texts"][0]["text"]
    assert f'<p class="segment" dir="rtl" lang="ar">{text}</p>' in html_report(report)


HOSTILE = "<script>hacked=1</script></style><img src=x onerror=hacked=1>\"'&\u202e\x00\ud800{{ 7 * 7 }}$x^2$"


@pytest.mark.usefixtures("few_pictures")
def test_hostile_words_are_escaped_wherever_they_come_from(report: Report) -> None:
    for one in report["errors"]["texts"]:
        one["text"] = HOSTILE
    for one in report["slices"]:
        one["name"] = HOSTILE
    report["run"], report["data"] = HOSTILE, {HOSTILE: "abc"}
    report["systems"][HOSTILE] = report["systems"].pop("models/other")
    report["systems"]["model"]["notes"] = [HOSTILE]
    report["errors"]["most_confident"][0]["place"]["article"] = HOSTILE
    report["behaviour"]["tests"][0]["name"] = report["behaviour"]["tests"][0]["description"] = HOSTILE
    html = html_report(report)
    assert html.count("<script>") == 1 and html.count("</style>") == 1
    assert "<img" not in html and "49" not in re.findall(r"&amp;⟦U\+202E⟧⟦U\+0000⟧⟦U\+D800⟧(..)", html)
    assert "⟦U+202E⟧⟦U+0000⟧⟦U+D800⟧{{ 7 * 7 }}$x^2$" in html
    assert not STEERING.search(html)
    html.encode()


def test_hostile_run_names_are_escaped_in_a_comparison(comparison: Report) -> None:
    comparison["runs"][HOSTILE] = comparison["runs"].pop("models/second")
    for pair in comparison["differences"]:
        for side in ("first", "second"):
            pair[side] = HOSTILE if pair[side] == "models/second" else pair[side]
    html = html_comparison(comparison)
    assert html.count("<script>") == 1 and not STEERING.search(html)


@pytest.mark.usefixtures("drawn_before")
@pytest.mark.parametrize("letter", ["م", "<", "\u202e"])
def test_page_stays_small_whatever_the_texts(report: Report, letter: str) -> None:
    for one in report["errors"]["texts"]:
        one["text"] = letter * 1_000_000
    mistake = report["errors"]["most_confident"][0]
    report["errors"]["most_confident"] = report["errors"]["on_differing"] = [mistake] * 1000
    html = html_report(report)
    assert len(html.encode()) < LARGEST
    assert "…</p>" in html  # long text is cut, not left out


@pytest.mark.usefixtures("few_pictures")
def test_many_topics_and_slices_still_make_a_small_page(report: Report) -> None:
    report["slices"] = [one | {"name": f"{one['name']} {n}"} for n in range(300) for one in report["slices"]]
    per_topic = report["systems"]["model"]["scores"]["topics"]["per_topic"]
    for kind in ("topics", "stances", "per_stance"):
        for when in ("before", "after"):
            calibrated = report["trust"][when][kind]
            calibrated |= {f"topic_{n}": calibrated["oil"] for n in range(60)}
    per_topic |= {f"topic_{n}": per_topic["oil"] for n in range(60)}
    html = html_report(report)
    assert len(html.encode()) < LARGEST
    assert "63 topics with less support are in the tables alone" in html
    assert "more are in the JSON file" in html


def test_comparison_says_of_each_pair_whether_it_holds(comparison: Report) -> None:
    found = comparison["differences"][0]["differences"]["pairs.f1"]
    found |= {"value": 0.25, "p": 0.001, "p_holm": 0.003}
    html = html_comparison(comparison)
    assert '<td class="number better" data-order="0.25">+0.250 better</td>' in html
    assert '<td class="number worse" data-order="-0.25">-0.250 worse</td>' in html
    assert "not told apart" in html


def test_comparison_warns_run_by_run(comparison: Report) -> None:
    comparison["runs"]["models/second"]["leaks"] = {
        "in_training": 0,
        "in_validation": 3,
        "dropped": False,
        "allowed": True,
    }
    html = html_comparison(comparison)
    assert '<bdi dir="auto">models/second</bdi>: 3 segments are in the run&#39;s validation set' in html
    assert '<bdi dir="auto">all runs</bdi>: 96 segments were authored' in html


def test_comparison_is_the_same_from_a_file(comparison: Report) -> None:
    assert html_comparison(comparison) == html_comparison(json.loads(json.dumps(comparison)))
