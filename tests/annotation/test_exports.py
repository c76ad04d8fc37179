from pathlib import Path

import pytest

from naba.annotation import TOOLS, import_votes
from naba.annotation.exports import parse_rows, tool_of
from naba.errors import DataError
from naba.schema import LabelSchema

SAMPLES = {
    "label-studio": b'[{"id": 1, "data": {"text": "x"}, "annotations": []}]',
    "argilla": b'[{"id": "a", "fields": {}, "metadata": {}, "responses": {}, "status": "pending", "_server_id": "s"}]',
    "prodigy": b'{"text": "x", "options": [], "accept": [], "answer": "accept"}\n',
    "doccano": b'{"id": 1, "text": "x", "label": []}\n',
}


def test_lists_and_lines_are_both_read_with_or_without_a_byte_order_mark() -> None:
    mark = b"\xef\xbb\xbf"
    for raw in (b'[{"a": 1}]', b'{"a": 1}\n\n', mark + b' \n[{"a": 1}]', mark + b'{"a": 1}'):
        assert [row for _, row in parse_rows(raw, "f")] == [{"a": 1}]
    assert list(parse_rows(b" \n", "f")) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'[{"a": 1},\n{"a"', r"f: not JSON .* at line 2.*is the file complete"),
        (b'{"a": 1}\n{"a', r"f:2: not JSON"),
        (b"[1]", r"f: entry 1: a int, not an object"),
        (b"[\xff]", r"f: not UTF-8 \(byte 1\)"),
        (b"\xff\xfe{\x00", r"f:1: not UTF-8"),
        (b"[" * 100_000, r"f: not JSON"),
        (b"id,text\n1,x\n", r"f:1: not JSON"),
    ],
)
def test_damaged_export_names_the_place(raw: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(parse_rows(raw, "f"))


@pytest.mark.parametrize("written", SAMPLES)
@pytest.mark.parametrize("asked", TOOLS)
def test_another_tool_s_export_is_told_by_its_form(
    written: str, asked: str, tmp_path: Path, schema: LabelSchema
) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(SAMPLES[written])
    message = (
        "no submitted answer"
        if written == asked
        else f"looks like an export of {written}; import it with --tool {written}"
    )
    with pytest.raises(DataError, match=message):
        import_votes(asked, [path], schema)


@pytest.mark.parametrize("tool", TOOLS)
def test_file_of_no_tool_is_refused(tool: str, tmp_path: Path, schema: LabelSchema) -> None:
    assert tool_of({"text": "x", "labels": {}}) is None
    (tmp_path / "f.jsonl").write_text('{"text": "x", "labels": {}}\n', encoding="utf-8")
    with pytest.raises(DataError, match=f"nothing that {tool} exports \\(it has text, labels\\)"):
        import_votes(tool, [tmp_path / "f.jsonl"], schema)
    with pytest.raises(DataError, match="no such file"):
        import_votes(tool, [tmp_path / "missing.jsonl"], schema)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match="no submitted answer \\(nothing in it\\)"):
        import_votes(tool, [tmp_path / "empty.jsonl"], schema)
