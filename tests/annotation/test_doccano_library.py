"""The round trip through doccano's own import and export code: `pytest -m external tests/annotation`.

Installs doccano into an environment of its own below the test's folder, unless NABA_DOCCANO names a Python that has it.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from naba.annotation import doccano, export_tasks, import_votes, make_tasks
from naba.annotation.answers import ticks
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema
from tests.annotation.conftest import ROW

pytestmark = pytest.mark.external

WORKER = Path(__file__).with_name("doccano_worker.py")
# doccano 1.8.4 does not run with newer versions of these.
PINNED = ("doccano==1.8.4", "marshmallow<4", "numpy<2", "setuptools<70")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    if given := os.environ.get("NABA_DOCCANO"):
        return given
    folder = tmp_path_factory.mktemp("doccano") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PINNED], check=True, timeout=1800)
    return str(folder / "bin" / "python")


@pytest.mark.parametrize("shared", [False, True], ids=["apart", "shared"])
@pytest.mark.parametrize("name", ["schema", "markets", "awkward"])
def test_ticks_set_in_doccano_come_back_as_votes(
    name: str, shared: bool, python: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    schema: LabelSchema = request.getfixturevalue(name)
    shown = doccano.label_texts(schema)
    texts = ['هدنة "فورية"', "نص\nمن سطرين", "لم يُراجع", "لم يُفتح"]
    items = [LabelledSegment.from_row({**ROW, "text": text, "labels": {}}, schema, "test") for text in texts[:3]]
    items.append(LabelledSegment.from_row({"text": texts[3], "labels": {}}, schema, "test"))
    stance = TopicLabel(True, schema.stance_ids[0])
    kinds = [stance, TopicLabel(None), TopicLabel(True), TopicLabel(False)]
    mixed = {topic: kinds[number % 4] for number, topic in enumerate(schema.topic_ids)}
    none = dict.fromkeys(schema.topic_ids, TopicLabel(False))
    suggestions = [Vote(replace(item, labels=mixed), "rule:r") for item in items[1:3]]
    export_tasks("doccano", make_tasks(items, suggestions), schema, tmp_path)

    said = {"amal": {texts[0]: mixed, texts[1]: none}, "basim": {texts[1]: mixed}}
    ticked = {
        user: {text: [shown[tick] for tick in ticks(labels, schema)] for text, labels in given.items()}
        for user, given in said.items()
    }
    (tmp_path / "answers.json").write_text(json.dumps(ticked), encoding="utf-8")
    command = [
        python,
        WORKER,
        tmp_path,
        tmp_path / "answers.json",
        tmp_path / "out.zip",
        *(["--shared"] if shared else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]

    imported = import_votes("doccano", [tmp_path / "out.zip"], schema)
    found = {(vote.item.segment.text, vote.annotator): dict(vote.item.labels) for vote in imported.votes}
    left_out = {reason: len(places) for reason, places in imported.left_out.items()}
    if shared:
        # one set of labels: basim mended what amal had ticked on the second text
        assert found == {(texts[0], "doccano:all"): mixed, (texts[1], "doccano:all"): mixed}
        assert left_out == {"suggestion not reviewed": 1, "unanswered": 1}
    else:
        assert found == {(text, user): labels for user, given in said.items() for text, labels in given.items()}
        # the importer's own file: two suggestions, two untouched; amal left two open, basim three
        assert left_out == {"suggestion not reviewed": 2, "unanswered": 2 + 2 + 3}
    assert all(vote.item.to_row() | ROW == vote.item.to_row() for vote in imported.votes)
