"""The model card of a pretrained encoder; its figures are those of pretrain.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from naba.jsonl import write_text


def write_card(folder: Path, record: Mapping[str, Any]) -> None:
    """Write README.md in the Hub's format."""
    config, articles, held_out = record["config"], record["articles"], record["held_out"]
    before, after = held_out["before"], held_out["after"]
    lines = [
        "---",
        "language: ar",
        "library_name: transformers",
        "pipeline_tag: fill-mask",
        "tags: [arabic, encoder, news]",
        "---",
        f"# {folder.name}",
        "",
        f"`{config['encoder']}` after more masked language modelling of whole words (steps: {config['steps']:,}; articles: "
        f"{articles['articles']['training']:,}; tokens read: {record['tokens_seen']:,}, in blocks of {config['block_tokens']}; "
        f"seconds: {record['seconds']:.0f}).",
        f"Text was normalised by naba's preset `{config['normalisation']}`; a training that uses this encoder sets the same.",
        "",
        f"Measured on the masked words of articles that it never read ({articles['articles']['validation']:,}); comparable "
        "only between encoders of one tokenizer:",
        "",
        "| | pseudo-perplexity | first guess right |",
        "|---|---|---|",
        f"| always by the pieces' frequency | {held_out['by_frequency']['perplexity']:.2f} | |",
        f"| before | {before['perplexity']:.2f} | {before['accuracy']:.3f} |",
        f"| after | {after['perplexity']:.2f} | {after['accuracy']:.3f} |",
        "",
        *([held_out["note"], ""] if held_out["note"] else []),
        f"Articles dropped because they hold a held-out segment: {sum(articles['dropped'].values()):,}.",
        "",
        "`pretrain.json` holds configuration, data fingerprints, seed, versions and the learning curve.",
        "",
        "```python",
        "from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer",
        f'encoder = AutoModel.from_pretrained("{folder.name}")',
        "```",
        "",
    ]
    write_text(folder / "README.md", "\n".join(lines))
