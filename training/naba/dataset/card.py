"""The data card of a built dataset: a README.md in the Hub's format, made of the manifest alone.

Its head tells `datasets.load_dataset` which file is which split and what fields the rows have.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from naba.dataset.statistics import UNSTATED
from naba.jsonl import write_text
from naba.schema import LabelSchema
from naba.voting.agreement import HUMAN_RANGE

_MIN_JUDGED = 50
"""Of fewer judged segments no rate is worth comparing."""
_MIN_FROM_ONE = 20
_MUCH = 0.3
"""Fewer segments of a stance from one outlet, or a smaller share of the stance, are no pattern."""
_TOO_MANY = 1.5
"""So many times its share of all judged segments makes an outlet's share of a stance worth a warning."""
_MAX_ROWS = 60
"""A table of more rows is cut; the manifest has all."""


CONFIGS = {"default": ("train", "validation", "test"), "unlabelled": ("unlabelled",)}
"""Configurations that `datasets.load_dataset` offers → the files, and splits, of each."""

Features = Mapping[str, Sequence[Mapping[str, Any]]]
"""Configuration → the fields of its rows, as `dataset_info.features` has them."""


def write_card(path: Path, manifest: Mapping[str, Any], schema: LabelSchema, features: Features) -> None:
    """Write the card."""
    write_text(path, card(manifest, schema, features))


def card(manifest: Mapping[str, Any], schema: LabelSchema, features: Features) -> str:
    """The card as Markdown, without date or machine: the same dataset has the same card."""
    sections = [
        _head(manifest, features),
        f"# {manifest['name']}\n\nSegments of Arabic news labelled by topic ({', '.join(schema.topic_ids)}) and, for each "
        f"topic that is present, by stance ({', '.join(schema.stance_ids)}). Built with naba; `manifest.json` has every "
        "figure of this card, and the configuration that repeats the build.",
        _who(manifest),
        _counts(manifest, schema),
        _sources(manifest, schema),
        _months(manifest, schema),
        _agreement(manifest),
        _duplicates(manifest),
        _certificate(manifest),
        _bias(manifest, schema),
        _meaning(schema),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(manifest: Mapping[str, Any], features: Features) -> str:
    configs: list[dict[str, Any]] = []
    info: list[dict[str, Any]] = []
    for name, parts in CONFIGS.items():
        files = [{"split": part, "path": f"{part}.jsonl"} for part in parts if manifest["segments"][part]]
        if files:
            configs.append({"config_name": name, "data_files": files} | ({"default": True} if not configs else {}))
            info.append({"config_name": name, "features": list(features[name])})
    head = {
        "language": ["ar"],
        "pretty_name": manifest["name"],
        "task_categories": ["text-classification"],
        "tags": ["news", "topic", "stance"],
        "configs": configs,
        "dataset_info": info,
    }
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---"


def _who(manifest: Mapping[str, Any]) -> str:
    lines = ["## Who labelled it", "", _table(("annotator", "segments"), manifest["annotators"].items())]
    if manifest["voters"]:
        by = manifest["config"]["resolve"]
        lines += [
            "",
            f"Labels of raw articles were resolved by {by['method']} from the votes of {len(manifest['voters'])} voters; "
            f"what was less sure than {by['min_confidence']} stayed unknown.",
        ]
    if manifest["weak"]:
        lines += [
            "",
            f"{manifest['weak']:,} segments (`weak: true`) were labelled by rules or models alone, read by nobody."
            + (
                " They stand in the held-out parts too: scores there measure the voters."
                if _weak_held(manifest)
                else ""
            ),
        ]
    if manifest["authored"]:
        lines += [
            "",
            f"{manifest['authored']:,} segments were written for the purpose, not published (`authored: true`).",
        ]
    lines += ["", "Licences, as stated:", "", _table(("licence", "segments"), manifest["licences"].items())]
    return "\n".join(lines)


def _weak_held(manifest: Mapping[str, Any]) -> bool:
    return bool(manifest["config"]["split"]["weak_held_out"])


def _counts(manifest: Mapping[str, Any], schema: LabelSchema) -> str:
    sizes = manifest["segments"]
    rows = [(name, f"{sizes[name]:,}", *_label_cells(counts, schema)) for name, counts in manifest["labels"].items()]
    columns = ("part", "segments", *_label_heads(schema))
    return f"## Counts\n\nBy topic: {' / '.join(schema.stance_ids)} (+ of unknown stance).\n\n{_table(columns, rows)}"


def _sources(manifest: Mapping[str, Any], schema: LabelSchema) -> str:
    rows = [
        (name, f"{counts['all segments']:,}", *_label_cells(counts, schema))
        for name, counts in manifest["sources"].items()
    ]
    columns = ("source", "segments", *_label_heads(schema))
    return f"## Sources\n\n{_table(columns, rows)}"


def _months(manifest: Mapping[str, Any], schema: LabelSchema) -> str:
    months = manifest["months"]
    if set(months) <= {UNSTATED}:
        return "## Months\n\nNo segment has a date."
    rows = [(name, f"{counts['all segments']:,}", *_label_cells(counts, schema)) for name, counts in months.items()]
    earlier = f"The last {_MAX_ROWS} rows; the earlier ones are in manifest.json.\n\n" if len(rows) > _MAX_ROWS else ""
    rows = rows[-_MAX_ROWS:]
    return f"## Months\n\n{earlier}{_table(('month', 'segments', *_label_heads(schema)), rows)}"


def _agreement(manifest: Mapping[str, Any]) -> str:
    lines = ["## Agreement"]
    for name, title in (("votes", "People's votes:"), ("readings", "Readings that stand in the labelled files:")):
        rows = manifest["agreement"][name]
        if rows:
            lines += ["", title, "", rows if isinstance(rows, str) else _agreement_table(rows)]
    if len(lines) == 1:
        return "## Agreement\n\nNo segment was read more than once."
    low, high = HUMAN_RANGE
    lines += [
        "",
        f"For scale: people reach kappas of {low}–{high} on bias in war news (FIGNEWS 2024). Readings by one reader or "
        "model are consistency, not agreement.",
    ]
    return "\n".join(lines)


def _agreement_table(rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        (
            row["topic"],
            row["question"],
            f"{row['segments']:,}",
            *(_figure(row[key]) for key in ("observed", "kappa", "alpha")),
        )
        for row in rows
    ]
    columns = ("topic", "question", "segments", "same", "Cohen's kappa", "Krippendorff's alpha")
    return _table(columns, cells)


def _duplicates(manifest: Mapping[str, Any]) -> str:
    near = manifest["near_duplicates"]
    lines = [
        "## Duplicates",
        "",
        f"{near['articles']:,} articles (a segment that came alone counts as one) in {near['clusters']:,} clusters; "
        f"{near['duplicate_ratio']:.1%} nearly duplicate an earlier one. Clusters are whole on one side of the split.",
    ]
    if near["largest"]:
        largest = [(row["articles"], row["segments"], row["begins"]) for row in near["largest"]]
        lines += ["", "The largest:", "", _table(("articles", "segments", "the first begins"), largest)]
    if manifest["set_aside"]:
        reasons = [(reason, f"{count:,}") for reason, count in manifest["set_aside"].items()]
        lines += ["", "Set aside (`set_aside.jsonl` has the ids):", "", _table(("why", "segments"), reasons)]
    return "\n".join(lines)


def _certificate(manifest: Mapping[str, Any]) -> str:
    leakage = manifest["leakage"]
    rows = [
        (
            pair,
            *(row[key] for key in ("articles", "clusters", "texts", "runs", "near_duplicates")),
            row["largest_overlap"]["containment"],
        )
        for pair, row in leakage["checked"].items()
    ]
    columns = (
        "parts",
        "articles",
        "clusters",
        "texts",
        f"runs of {leakage['run_words']} words",
        "near-duplicates",
        "largest overlap",
    )
    lines = [
        "## Leakage certificate",
        "",
        "What two parts share, counted again over the finished parts (unlabelled text counts as training); the build "
        "fails unless all but the last column are 0. The last is the largest share of the shorter segment's five-word "
        "shingles that two segments of the parts have in common, where they have three and more.",
        "",
        _table(columns, rows),
    ]
    if flattery := manifest["naive_split"]:
        naive, clustered = flattery["naive"], flattery["clustered"]
        gain = 100 * (naive["pair_f1"] - clustered["pair_f1"])
        scores = [
            (name, row["pair_f1"], row["topic_macro_f1"])
            for name, row in (("random segments", naive), ("whole clusters", clustered))
        ]
        lines += [
            "",
            f"What a naive random split would have made of it: TF-IDF + logistic regression, the mean of {flattery['repeats']} "
            f"draws on {flattery['segments']:,} segments; {gain:+.1f} points of pair-F1 would have been leakage or chance.",
            "",
            _table(("split by", "pair-F1", "topic macro-F1"), scores),
        ]
    return "\n".join(lines)


def _bias(manifest: Mapping[str, Any], schema: LabelSchema) -> str:
    """Label rates by outlet: where one outlet gives most of a stance, its wording can become the stance's cue."""
    lines = ["## Known biases", ""]
    rows = []
    for name, counts in manifest["sources"].items():
        if counts["judged segments"] >= _MIN_JUDGED:
            rates = [
                " / ".join(f"{100 * counts[t][s] / counts['judged segments']:.1f}" for s in schema.stance_ids)
                for t in schema.topic_ids
            ]
            rows.append((name, f"{counts['judged segments']:,}", *rates))
    if rows:
        lines += [
            f"Per cent of an outlet's judged segments (outlets with {_MIN_JUDGED} and more), {' / '.join(schema.stance_ids)}:",
            "",
            _table(("source", "judged", *schema.topic_ids), rows),
            "",
        ]
    judged = {name: counts["judged segments"] for name, counts in manifest["sources"].items()}
    everything = sum(judged.values())
    for topic in schema.topic_ids:
        for stance in schema.stance_ids:
            by_source = {name: counts[topic][stance] for name, counts in manifest["sources"].items()}
            total = sum(by_source.values())
            for name, count in by_source.items():
                expected = total * judged[name] / everything if everything else 0
                if count >= _MIN_FROM_ONE and count >= max(_MUCH * total, _TOO_MANY * expected):
                    lines.append(
                        f"- {count / total:.0%} of `{topic}: {stance}` ({total:,}) come from {name}, which has "
                        f"{judged[name] / everything:.0%} of the judged segments: its wording may become the stance's cue."
                    )
            if total < _MIN_JUDGED:
                lines.append(f"- `{topic}: {stance}` has {total:,} segments: too few to learn or to measure well.")
    return "\n".join(lines).rstrip()


def _meaning(schema: LabelSchema) -> str:
    lines = ["## What the labels mean", ""]
    for topic in schema.topics:
        lines.append(f"- **{topic.id}**: {topic.definition} Stance towards {topic.target}:")
        lines += [f"  - `{stance}`: {meaning}" for stance, meaning in topic.stances.items()]
    lines += ["", "`present: null` is unknown, not absent; an absent topic has no stance."]
    return "\n".join(lines)


def _label_heads(schema: LabelSchema) -> tuple[str, ...]:
    return (*schema.topic_ids, "no topic", "several topics")


def _label_cells(counts: Mapping[str, Any], schema: LabelSchema) -> tuple[str, ...]:
    cells = [
        " / ".join(f"{counts[topic][stance]:,}" for stance in schema.stance_ids)
        + (f" + {unstated:,}" if (unstated := counts["no stance"][topic]) else "")
        for topic in schema.topic_ids
    ]
    return (*cells, f"{counts['no topic']:,}", f"{counts['several topics']:,}")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(columns: Sequence[str], rows: Any) -> str:
    rows = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    more = (
        [["…", f"{len(rows) - _MAX_ROWS} more in manifest.json", *[""] * (len(columns) - 2)]]
        if len(rows) > _MAX_ROWS
        else []
    )
    lines = [columns, ["---"] * len(columns), *rows[:_MAX_ROWS], *more]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
