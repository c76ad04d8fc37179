from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from naba.config import load_config
from naba.errors import ConfigError, DataError
from naba.importing.label_reader import Contradiction, LabelReader, join
from naba.importing.mapping import ImportConfig, canonical
from naba.records import TopicLabel
from naba.schema import LabelSchema

MEANINGS = {"up": "optimistic", "down": "pessimistic", "there": "present", "no": "absent", "?": "unknown"}
RISING, FALLING, PRESENT = TopicLabel(True, "optimistic"), TopicLabel(True, "pessimistic"), TopicLabel(True)
ABSENT, UNKNOWN = TopicLabel(False), TopicLabel(None)


def config(**keys: Any) -> ImportConfig:
    return ImportConfig.model_validate({"data": ["x.csv"], **keys})


def wide(*topics: Mapping[str, Any], **keys: Any) -> ImportConfig:
    return config(wide=list(topics), **keys)


OIL = {"topic": "oil", "column": "oil", "values": MEANINGS}


@pytest.mark.parametrize(
    ("given", "compared"),
    [
        (" Up\n", "up"),
        ("\ufeffUp", "up"),
        (1, "1"),
        (1.0, "1"),
        ("1.0", "1"),
        ("١", "1"),
        ("0.5", "0.5"),
        (True, "true"),
        (None, ""),
        (float("nan"), ""),
        ("  ", ""),
        ("None", "none"),
        ("nan", "nan"),
        ("STRASSE", canonical("straße")),
    ],
)
def test_cells_are_compared_trimmed_in_small_letters_and_numbers_by_value(given: Any, compared: str) -> None:
    assert canonical(given) == compared


@given(st.text())
def test_comparing_twice_changes_nothing(text: str) -> None:
    # 0.00 and such lose their zeros at once, whatever is left is stable
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("up", RISING),
        (" UP ", RISING),
        ("there", PRESENT),
        ("no", ABSENT),
        (False, ABSENT),  # YAML reads the key `no` as false; both are meant
        ("?", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        (float("nan"), UNKNOWN),
    ],
)
def test_a_value_becomes_its_meaning_and_an_empty_cell_is_unknown_never_absent(
    markets: LabelSchema, cell: Any, label: TopicLabel
) -> None:
    topic = {
        "topic": "oil",
        "column": "oil",
        "values": yaml.safe_load("{up: optimistic, there: present, no: absent, '?': unknown}"),
    }
    assert LabelReader(wide(topic), markets).read({"oil": cell}, "a:1") == {"oil": label}


def test_empty_cell_may_be_mapped_and_a_default_given(markets: LabelSchema) -> None:
    by_null = LabelReader(wide({"topic": "oil", "column": "c", "values": {None: "absent"}}), markets)
    by_default = LabelReader(wide({"topic": "oil", "column": "c", "default": "absent"}), markets)
    assert by_null.read({"c": ""}, "a:1") == by_default.read({"c": None}, "a:1") == {"oil": ABSENT}


def test_a_value_that_is_not_named_is_told_with_column_count_and_the_nearest_known(markets: LabelSchema) -> None:
    reader = LabelReader(wide(OIL), markets)
    for line, value in enumerate(["upp", "down", "UPP ", "zzz"], start=2):
        reader.read({"oil": value}, f"a.csv:{line}")
    told = [str(value) for value in reader.unmapped.values()]
    assert told == [
        "column 'oil': 'upp' is not mapped (rows: 2, first: a.csv:2); nearest known: 'up'",
        "column 'oil': 'zzz' is not mapped (rows: 1, first: a.csv:5)",
    ]


def test_the_word_none_is_a_value_not_an_empty_cell(markets: LabelSchema) -> None:
    reader = LabelReader(wide(OIL), markets)
    reader.read({"oil": "None"}, "a:1")
    assert [value.value for value in reader.unmapped.values()] == ["None"]


@pytest.mark.parametrize(
    ("presence", "stance", "label"),
    [
        (1, "up", RISING),
        ("1", "", PRESENT),
        (0, None, ABSENT),
        ("", "", UNKNOWN),
    ],
)
def test_presence_and_stance_may_stand_in_two_columns(
    markets: LabelSchema, presence: Any, stance: Any, label: TopicLabel
) -> None:
    assert LabelReader(wide(TWO), markets).read({"p": presence, "s": stance}, "a:1") == {"oil": label}


TWO = {
    "topic": "oil",
    "presence": {"column": "p", "values": {1: "present", 0: "absent"}},
    "stance": {"column": "s", "values": {"up": "optimistic"}},
}


@pytest.mark.parametrize("presence", ["0", ""])
def test_a_stance_of_what_is_not_present_is_a_contradiction_unless_it_is_to_be_ignored(
    markets: LabelSchema, presence: str
) -> None:
    with pytest.raises(Contradiction, match="'optimistic' in 's'"):
        LabelReader(wide(TWO), markets).read({"p": presence, "s": "up"}, "a:1")
    reader = LabelReader(wide(TWO, stance_without_presence="ignore"), markets)
    assert reader.read({"p": presence, "s": "up"}, "a:1") == {"oil": ABSENT if presence else UNKNOWN}


def test_long_rows_name_their_topic_and_may_be_skipped(markets: LabelSchema) -> None:
    topic = {"column": "t", "values": {"Crude": "oil", "Sport": "skip", "nothing": "none"}}
    long = {"topic": topic, "answer": {"column": "s", "values": MEANINGS}}
    reader = LabelReader(config(long=long), markets)
    assert reader.read({"t": "crude", "s": "down"}, "a:1") == {"oil": FALLING}
    assert reader.read({"t": "sport", "s": "never looked at"}, "a:2") is None
    assert reader.read({"t": "nothing", "s": ""}, "a:3") == {}
    assert not reader.unmapped
    # An empty topic is not guessed.
    assert reader.read({"t": "", "s": "down"}, "a:4") is None
    assert "the empty cell" in str(next(iter(reader.unmapped.values())))


def test_shared_values_serve_columns_without_their_own(markets: LabelSchema) -> None:
    shared = wide(
        {"topic": "oil", "column": "a"}, {"topic": "gold", "column": "b", "values": {"up": "absent"}}, values=MEANINGS
    )
    assert LabelReader(shared, markets).read({"a": "up", "b": "up"}, "a:1") == {"oil": RISING, "gold": ABSENT}


def test_nested_fields_are_reached_and_a_list_is_no_value(markets: LabelSchema) -> None:
    reader = LabelReader(wide({"topic": "oil", "column": "l.oil", "values": MEANINGS}), markets)
    assert reader.read({"l": {"oil": "up"}}, "a:1") == {"oil": RISING}
    with pytest.raises(DataError, match=r"a:2: column 'l\.oil' holds a list"):
        reader.read({"l": {"oil": ["up"]}}, "a:2")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (UNKNOWN, ABSENT, ABSENT),
        (PRESENT, RISING, RISING),
        (RISING, PRESENT, RISING),
        (RISING, RISING, RISING),
        (RISING, FALLING, None),
        (ABSENT, PRESENT, None),
        (UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_rows_of_one_text_add_to_each_other_or_contradict(
    one: TopicLabel, other: TopicLabel, both: TopicLabel | None
) -> None:
    assert join(one, other) == join(other, one) == both


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "give one shape"),
        ({"wide": [OIL], "long": {"topic": {"column": "t"}}}, "give one shape"),
        ({"wide": [{"topic": "oil"}]}, "oil: names no column"),
        ({"wide": [OIL, OIL]}, "given twice"),
        ({"wide": [OIL | {"presence": {"column": "p"}}]}, "not both"),
        ({"wide": [{"topic": "oil", "stance": {"column": "s"}}]}, "'stance' needs 'presence'"),
        (
            {"wide": [{"topic": "oil", "column": "c", "values": {"Up": "present", "up ": "absent"}}]},
            "'up' is mapped to both",
        ),
        ({"wide": [{"topic": "oil", "colum": "c"}]}, "unknown key 'wide.0.colum'"),
        ({"long": {"topic": {"column": "t"}, "answers": {}}}, "unknown key 'long.answers'"),
        ({"wide": [OIL], "conflicts": "vote"}, "conflicts: vote needs columns.annotator"),
        ({"wide": [OIL], "read": {"delimiter": ";;"}}, "read.delimiter"),
        ({"wide": [OIL], "data": []}, "data"),
        ({"wide": [{"topic": "oil", "column": "c", "values": {"up": True}}]}, "values.up = True"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_told(tmp_path: Path, keys: dict[str, Any], says: str) -> None:
    path = tmp_path / "import.yaml"
    path.write_text(yaml.safe_dump({"data": ["x.csv"], **keys}), encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        load_config(ImportConfig, path)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"wide": [OIL | {"topic": "silver"}]}, "'silver' is none of oil, gold"),
        (
            {"wide": [{"topic": "oil", "column": "c", "values": {"up": "rising"}}]},
            "column 'c': 'rising' is none of present",
        ),
        ({"wide": [OIL | {"default": "nothing"}]}, "'nothing'"),
        ({"wide": [TWO | {"presence": {"column": "p", "values": {1: "optimistic"}}}]}, "column 'p': 'optimistic'"),
        ({"wide": [TWO | {"stance": {"column": "s", "values": {"no": "absent"}}}]}, "column 's': 'absent'"),
        (
            {"long": {"topic": {"column": "t", "values": {"a": "silver"}}, "answer": {"column": "s"}}},
            "'silver'.*skip, none",
        ),
    ],
)
def test_meanings_outside_the_label_schema_are_told(markets: LabelSchema, keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        LabelReader(config(**keys), markets)


def test_a_schema_whose_stance_is_a_word_of_the_mapping_is_refused(markets: LabelSchema) -> None:
    content = markets.model_dump()
    content["stances"][0]["id"] = "unknown"
    for topic in content["topics"]:
        topic["stances"] = {"unknown": "a", "pessimistic": "b"}
    with pytest.raises(ConfigError, match="unknown is a word of the mapping"):
        LabelReader(wide({"topic": "oil", "column": "c"}), LabelSchema.parse(content, "test"))


@pytest.mark.parametrize("name", ["configs/import.yaml", "tests/benchmarks/mawqif/import.yaml"])
def test_shipped_mappings_fit_their_schemas(root: Path, name: str) -> None:
    settings = load_config(ImportConfig, root / name)
    LabelReader(settings, LabelSchema.load(root / settings.labels))
