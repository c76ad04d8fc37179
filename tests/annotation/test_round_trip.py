"""Any segments, any votes, any schema, any tool: what goes out and is answered comes back the same."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naba.annotation import TOOLS, export_tasks, import_votes, make_tasks
from naba.records import LabelledSegment, Vote
from naba.schema import LabelSchema
from tests.annotation.simulate import EXPORTS, answers_of

USERS = ["أمل", "basim@example.org", "third reader"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
SCHEMAS = ["schema", "markets", "awkward"]


@st.composite
def segments(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows with distinct places; texts may repeat."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        row: dict[str, Any] = {"text": draw(TEXTS | st.just("نص متكرر")), "article_id": f"a{number}"}
        if draw(st.booleans()):
            row |= {"start": number, "end": number + 5, "cluster": "c", "kind": "headline"}
        row["provenance"] = draw(st.dictionaries(st.text(max_size=5), VALUES, max_size=2))
        row |= {
            f"x_{key}": value for key, value in draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=2)).items()
        }
        rows.append(row)
    return rows


def draw_labels(draw: st.DrawFn, schema: LabelSchema) -> dict[str, Any]:
    answers = [None, False, True, *schema.stance_ids]
    drawn = {topic: draw(st.sampled_from(answers)) for topic in schema.topic_ids}
    return {
        topic: {"present": answer, "stance": None}
        if not isinstance(answer, str)
        else {"present": True, "stance": answer}
        for topic, answer in drawn.items()
    }


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=15)
@given(data=st.data())
def test_votes_come_back_as_they_were_given(
    tool: str, name: str, request: pytest.FixtureRequest, data: st.DataObject
) -> None:
    schema: LabelSchema = request.getfixturevalue(name)
    items = [
        LabelledSegment.from_row({**row, "labels": draw_labels(data.draw, schema)}, schema, "test")
        for row in data.draw(segments())
    ]
    adjudicated = data.draw(st.booleans())
    by_text = {(item.segment.id, user): draw_labels(data.draw, schema) for item in items for user in USERS}
    silent = data.draw(st.sets(st.sampled_from(sorted(by_text)), max_size=len(by_text) - 1))
    votes = [
        Vote(
            LabelledSegment.from_row({**item.to_row(), "labels": by_text[item.segment.id, user]}, schema, "test"),
            user,
            adjudicated,
        )
        for item in items
        for user in USERS
        if (item.segment.id, user) not in silent
    ]
    suggestions = [
        Vote(replace(vote.item, labels=items[0].labels), f"model:{user}")
        for user, vote in zip(data.draw(st.lists(st.sampled_from(["a", "b"]))), votes, strict=False)
    ]
    with tempfile.TemporaryDirectory() as folder:
        export_tasks(tool, make_tasks(items, suggestions), schema, Path(folder))
        exports = EXPORTS[tool](Path(folder), answers_of(votes), USERS, schema)
        names = {str(number): user for number, user in enumerate(USERS, start=1)}
        imported = import_votes(tool, exports, schema, names, adjudicated=adjudicated)
    assert sorted(json.dumps(vote.to_row(), sort_keys=True) for vote in imported.votes) == sorted(
        json.dumps(vote.to_row(), sort_keys=True) for vote in votes
    )
