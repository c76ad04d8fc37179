import json
import shutil
from pathlib import Path

from tests.conftest import Run


def test_card_of_a_run_is_written_and_written_again(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "mine")
    (tmp_path / "mine" / "README.md").unlink()
    code, out, errors = naba("card", "mine", "--license", "apache-2.0")
    assert (code, errors) == (0, "")
    assert "card: mine/README.md, with the figures of 0 reports" in out
    first = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert naba("card", "mine")[0] == 0
    assert (tmp_path / "mine" / "README.md").read_text(encoding="utf-8") == first
    assert naba("card", "mine", "--out", "cards/mine.md", "--language", "ar")[0] == 0
    assert (tmp_path / "cards" / "mine.md").is_file()


def test_faults_are_one_line(naba: Run, tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "mine")
    (tmp_path / "mine" / "README.md").write_text("# By hand\n", encoding="utf-8")
    (tmp_path / "report.json").write_text(json.dumps({"format": 9}))
    for arguments, says in (
        (("mine",), "without naba's markers"),
        (("nowhere",), "nowhere: config.json is missing"),
        (("mine", "--report", "report.json"), "report format 9 is of a newer naba"),
        (("mine", "--report", "none"), "none: no such file"),
        (("mine", "--overwrite", "--license", "My Licence"), "expected the Hub's id of a licence"),
    ):
        code, _, errors = naba("card", *arguments)
        assert code == 2
        assert says in errors
        assert len(errors.strip().splitlines()) == 1
    assert (tmp_path / "mine" / "README.md").read_text(encoding="utf-8") == "# By hand\n"
    assert naba("card", "mine", "--overwrite")[0] == 0
