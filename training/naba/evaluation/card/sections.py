"""The sections of a model card, as Markdown, from facts about a run and its reports alone.

sections(facts)["figures"]         # lines; the section's heading is the first

No section holds words of the data: names of sources, licences and annotators are cut short and made harmless.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from naba.evaluation.card.facts import RunFacts, data_name, plain, words
from naba.evaluation.card.figures import behaviour, figures, trust
from naba.evaluation.figures import figure
from naba.evaluation.markdown_table import table
from naba.evaluation.slices import SMALLEST

SECTIONS = ("labels", "use", "data", "recipe", "figures", "trust", "behaviour", "limits", "provenance")
"""In the order of a new card."""
_MOST_ROWS = 30


def sections(facts: RunFacts) -> dict[str, list[str]]:
    """Every section by name, in order, as lines."""
    makers = (_labels, _use, _data, _recipe, figures, trust, behaviour, _limits, _provenance)
    return {name: list(maker(facts)) for name, maker in zip(SECTIONS, makers, strict=True)}


def _labels(facts: RunFacts) -> Iterator[str]:
    topics = facts.schema.topics
    yield f"Labels segments of Arabic news (a sentence, a short paragraph or a headline) by topic, any number of {len(topics)},"
    yield "and, for each topic that is present, by stance. A topic that is absent has no stance."
    yield ""
    for topic in topics:
        yield f"**{topic.id}** ({words(topic.name_en)}, {words(topic.name_ar)}): {words(topic.definition)}"
        yield f"Stance towards: {words(topic.target)}."
        yield ""
        yield from (f"- {stance}: {words(meaning)}" for stance, meaning in topic.stances.items())
        yield ""


def _use(facts: RunFacts) -> Iterator[str]:
    yield from ["## Use and misuse", ""]
    yield from ["```bash", f"naba label articles.jsonl --out labelled --model {facts.name}", "```", ""]
    example = f'labeller = Labeller.load("{facts.name}")'
    yield from ["```python", "from naba import Labeller", "", example]
    yield from ['labeller.label(["…"])[0].present        # {topic: stance} of the topics that are present', "```", ""]
    yield from [
        "It is meant for sorting and exploring news, for picking segments that people then label, and as a start for",
        "fine-tuning on labels of your own. It is not meant for judging people or outlets, for decisions about a person, or for",
        "publishing counts without a checked sample.",
    ]
    for report in facts.reports:
        pairs = report["systems"]["model"]["scores"]["pairs"]
        if pairs["predicted"] and pairs["support"]:
            wrong = 1 - pairs["precision"]
            yield (
                f"On {plain(data_name(report))}, {100 * wrong:.0f} in 100 of the (topic, stance) pairs that it gave were wrong, and it "
                f"missed {100 * (1 - pairs['recall']):.0f} in 100 of those that were there."
            )
    yield ""


def _data(facts: RunFacts) -> Iterator[str]:
    record, found = facts.record, facts.training
    sizes = record["segments"]
    yield from [
        "## Training data",
        "",
        f"{sizes['train']:,} segments; checkpoint and thresholds were chosen on {sizes['validation']:,} others.",
        "",
    ]
    weights = {source["path"]: source["weight"] for source in map(_source, record["config"]["train"])}
    rows = [
        [plain(path), "training" if path in weights else "validation", f"{weights.get(path, 1):g}", mark]
        for path, mark in record["data"].items()
    ]
    yield from table(["file", "part", "weight", "fingerprint"], rows)
    if found is None:
        yield from [
            "The training files were not at hand when this card was written, so that it cannot say what is in them.",
            "",
        ]
        return
    labels = found["labels"]["training"]
    heads = [*facts.schema.stance_ids, "stance not known"]
    rows = [
        [
            topic,
            *(f"{labels[topic][stance]:,}" for stance in facts.schema.stance_ids),
            f"{labels['no stance'][topic]:,}",
        ]
        for topic in facts.schema.topic_ids
    ]
    yield from table(["topic", *heads], rows)
    yield from [f"{labels['no topic']:,} segments have no topic, {labels['several topics']:,} more than one.", ""]
    yield from _counted("source", {name: part["all segments"] for name, part in found["sources"].items()})
    yield from _counted("licence of the text, as stated", found["licences"])
    yield from _counted("labelled by", found["annotators"])


def _recipe(facts: RunFacts) -> Iterator[str]:
    config, record = facts.record["config"], facts.record
    yield from ["## Recipe", "", f"Fine-tuned from `{plain(config['encoder'])}` with `naba train`:", ""]
    skipped = {"train", "validation", "out", "encoder", "device"}
    yield from table(
        ["key", "value"],
        [[key, plain(value)] for key, value in config.items() if key not in skipped and value is not None],
    )
    steps = f"{record['steps']:,} steps" if record.get("steps") else "training"
    yield from [
        f"The checkpoint is the best of {steps} on validation (step {record['best_step']}); thresholds and temperatures were "
        "fitted there too:",
        "",
    ]
    rows = []
    for topic in facts.schema.topic_ids:
        values = facts.decision.of(topic)
        rows.append([topic, *(figure(v) for v in (values.threshold, values.temperature, values.stance_temperature))])
    yield from table(["topic", "threshold", "temperature", "stance temperature"], rows)
    if facts.curve:
        yield from [f"![Loss and validation scores over the steps]({facts.curve})", ""]


def _limits(facts: RunFacts) -> Iterator[str]:
    yield from ["## Limits", ""]
    if not facts.reports:
        yield "- it was not evaluated: its figures are of validation alone"
    tests = [(plain(data_name(report)), found) for report, found in zip(facts.reports, facts.tests, strict=True)]
    for name, found in [("the training data", facts.training), *tests]:
        if not found:
            continue
        total = sum(part["all segments"] for part in found["sources"].values())
        if found["authored"]:
            yield f"- {found['authored']:,} of {total:,} segments of {name} were authored, not published: they say nothing about real news"
        machines = {who: count for who, count in found["annotators"].items() if _machine(who)}
        if machines:
            who = ", ".join(map(plain, machines))
            yield f"- {sum(machines.values()):,} of {total:,} segments of {name} were labelled by {who}, not by people: figures are agreement with that reader"
    yield from _sources_seen(facts)
    for report in facts.reports:
        few = [
            f"{topic} {stance} ({rates['support']})"
            for topic, per in report["systems"]["model"]["scores"]["pairs"]["per_pair"].items()
            for stance, rates in per.items()
            if rates["support"] < SMALLEST
        ]
        if few:
            yield f"- {plain(data_name(report))} has fewer than {SMALLEST} examples of {', '.join(few)}: their figures are unsure"
    yield f"- segments longer than {facts.max_tokens} tokens are read in overlapping windows; training cut them"
    yield ""


def _sources_seen(facts: RunFacts) -> Iterator[str]:
    """Whether the test segments come from sources that training had, which are easier."""
    for report, found in zip(facts.reports, facts.tests, strict=True):
        if found and facts.training:
            new = set(found["sources"]) - set(facts.training["sources"])
            if not new:
                yield f"- all sources of {plain(data_name(report))} are in the training data too: expect less on others"


def _provenance(facts: RunFacts) -> Iterator[str]:
    record = facts.record
    yield from ["## How it was made", ""]
    rows = [
        ["trained", f"{record['date']}, {record['seconds']:,.0f} s, seed {record['config']['seed']}"],
        ["commit", plain(record["commit"])],
    ]
    rows.append(["versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)])
    rows.append(["hardware", ", ".join(f"{key} {plain(value)}" for key, value in record["hardware"].items() if value)])
    rows.append(["label schema", f"{plain(facts.schema.name)}, {facts.schema.fingerprint}"])
    if encoder := (record.get("encoder") or {}).get("fingerprint") or (record.get("encoder") or {}).get("commit"):
        rows.append(["encoder", f"{plain(record['config']['encoder'])}, {encoder}"])
    for report in facts.reports:
        marks = ", ".join(f"{plain(path)} ({mark})" for path, mark in report["data"].items())
        rows.append(["evaluated", f"{report['date']}, commit {plain(report['commit'])}, on {marks}"])
    yield from table(["", ""], rows)


def _counted(head: str, counts: Mapping[str, int]) -> list[str]:
    rows = [[plain(name), f"{count:,}"] for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    more = [["…", f"{len(rows) - _MOST_ROWS} more"]] if len(rows) > _MOST_ROWS else []
    return table([head, "segments"], rows[:_MOST_ROWS] + more)


def _source(value: Any) -> dict[str, Any]:
    return {"path": value, "weight": 1.0} if isinstance(value, str) else dict(value)


def _machine(annotator: str) -> bool:
    return annotator.startswith(("rule:", "model:")) or "language-model" in annotator.lower().replace(" ", "-")
