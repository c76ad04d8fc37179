from pathlib import Path

from tests.conftest import Run


def test_stored_report_is_shown_again(naba: Run, root: Path, tmp_path: Path) -> None:
    stored = root / "models" / "naba-news" / "reports" / "seed-gold"
    code, _, errors = naba("render", stored, "--out", "pages")
    assert (code, errors) == (0, "")
    assert (tmp_path / "pages" / "report.md").read_text(encoding="utf-8") == (stored / "report.md").read_text(
        encoding="utf-8"
    )
    assert "<!doctype html>" in (tmp_path / "pages" / "report.html").read_text(encoding="utf-8").lower()


def test_folder_without_a_report_is_told(naba: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, errors = naba("render", "empty")
    assert code == 2
    assert "holds no report.json and no comparison.json" in errors
