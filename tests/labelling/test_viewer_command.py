from pathlib import Path

from tests.conftest import Run
from tests.labelling.test_viewer import TALKS, Write, article


def test_page_is_written_and_what_it_holds_is_told(naba: Run, write_rows: Write, tmp_path: Path) -> None:
    write_rows("labelled.jsonl", [article(n, TALKS, TALKS) for n in range(3)])
    assert naba("show", "labelled.jsonl") == (0, "labelled.html: 3 articles, 6 segments\n", "")
    code, out, errors = naba("show", "labelled.jsonl", "--out", "pages/two.html", "--limit", 2)
    assert (code, errors) == (0, "")
    assert out == "pages/two.html: the first 2 articles, 4 segments\n  the files hold more; --limit 2 left them out\n"
    assert (tmp_path / "pages" / "two.html").is_file()


def test_faults_are_one_line_and_write_nothing(naba: Run, write_rows: Write, tmp_path: Path) -> None:
    write_rows("labelled.jsonl", [article(1, TALKS)])
    (tmp_path / "labelled.html").write_text("mine")
    for arguments, says in (
        (("labelled.jsonl",), "labelled.html: is there already; choose another --out, or pass --overwrite"),
        (("none.jsonl", "--out", "page.html"), "none.jsonl: no such file"),
        (("labelled.jsonl", "--out", "page.csv"), "page.csv: the page is a file that ends in .html"),
        (("labelled.jsonl", "--out", "page.html", "--limit", 0), "--limit"),
        ((), "Missing argument 'paths'"),
    ):
        code, _, errors = naba("show", *arguments)
        assert code == 2
        assert says in errors
        assert len(errors.strip().splitlines()) == 1
    assert (tmp_path / "labelled.html").read_text() == "mine"
    assert not (tmp_path / "page.html").exists()
    assert naba("show", "labelled.jsonl", "--overwrite")[0] == 0
