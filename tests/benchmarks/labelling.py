"""How fast texts are labelled, beside what a user has without naba, in one run on one machine.

    python tests/benchmarks/labelling.py models/naba-news data/real-articles/almayadeen.jsonl.gz [--write]

pipeline   transformers' text-classification pipeline, at the best of several batch sizes, with a plain 12-logit head on the
           same encoder (it cannot load naba's heads), one pass for all labels
naba       Labeller.label_iter on the exported int8 form: texts in, predictions out
bare       onnxruntime on the same int8 graph, its input tokenised and batched beforehand, in the best thread layout
peak       the largest int8 matrix product that onnxruntime does on all cores: what the processor can do

The sides take turns; medians of the rounds. `--forms LABELLED` compares naba's int8 form with that of onnxruntime's
`quantize_dynamic` (one scale a batch) instead: speed, and answers that differ from the run's. `--memory` writes a million segments with a tiny model instead, and tells how
much larger the process grew after the first ten thousand.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import pipeline

from naba import Labeller
from naba.config import LabelConfig, ReadConfig
from naba.corpus.readers import Rejected, read_articles
from naba.corpus.segments import segment_article
from naba.labelling.job import label_paths
from naba.modelling import checkpoint as checkpoints
from naba.modelling.encode import pad
from naba.modelling.engines import usable_cores
from naba.modelling.windows import WindowReader, plan_batches
from naba.run import environment

RESULTS = Path(__file__).with_name("results") / "labelling.json"
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


def segments(path: Path, count: int) -> list[str]:
    """The first different segments of article files, in reading order."""
    found: dict[str, None] = {}
    for article in read_articles([path], ReadConfig()):
        if not isinstance(article, Rejected):
            found |= {segment.text: None for segment in segment_article(article)}
        if len(found) >= count:
            break
    return list(islice(found, count))


def rate(work: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def plain_pipeline(run: Path, folder: Path) -> Any:
    trained = checkpoints.load(run)
    del trained.model.config.naba  # an encoder, no run
    trained.model.encoder.save_pretrained(folder / "encoder")
    trained.tokenizer.save_pretrained(folder / "encoder")
    plain = checkpoints.from_encoder(
        str(folder / "encoder"),
        trained.schema,
        normalisation=trained.normalisation,
        head="plain",
        max_tokens=trained.max_tokens,
        dropout=0.0,
    )
    checkpoints.save(plain, folder / "plain")
    return pipeline("text-classification", model=str(folder / "plain"), top_k=None, device="cpu", truncation=True)


def bare_loops(run: Path, texts: list[str]) -> dict[str, Callable[[], None]]:
    """Layout → a loop over all batches; cores as sessions of one thread, or one session of all threads."""
    checkpoint = checkpoints.load(run)
    windows = WindowReader(checkpoint).read(texts)
    batches = [
        {
            name: tensor.numpy()
            for name, tensor in pad([windows.ids[row] for row in rows], checkpoint.tokenizer.pad_token_id).items()
        }
        for rows in plan_batches([len(ids) for ids in windows.ids], batch_tokens=512)
    ]

    def session(threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(
            run / "onnx" / "int8.onnx",
            options,
            disabled_optimizers=["SkipLayerNormFusion"],
            providers=["CPUExecutionProvider"],
        )

    one, whole, cores = session(1), session(usable_cores()), usable_cores()

    def side_by_side() -> None:
        with ThreadPoolExecutor(cores) as threads:
            list(threads.map(lambda batch: one.run(None, batch), batches))

    def together() -> None:
        for batch in batches:
            whole.run(None, batch)

    return {f"{cores} batches at once": side_by_side, f"{cores} threads a batch": together}


def peak() -> float:
    """Operations a second of a large int8 product, on all cores side by side."""
    size = 2048
    numbers = np.random.default_rng(1)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "peak",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [None, size])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [None, size])],
        [numpy_helper.from_array(numbers.integers(-127, 127, (size, size), dtype=np.int8), "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    a = numbers.integers(0, 255, (size, size), dtype=np.uint8)
    cores, times = usable_cores(), 8
    with ThreadPoolExecutor(cores) as threads:
        start = time.perf_counter()
        list(threads.map(lambda _: session.run(None, {"a": a}), range(cores * times)))
        return 2 * size**3 * cores * times / (time.perf_counter() - start)


def operations_a_token(run: Path) -> int:
    """Multiplications and additions of the int8 products for one token."""
    import onnx

    graph = onnx.load(run / "onnx" / "int8.onnx").graph
    stored = {tensor.name: tensor.dims for tensor in graph.initializer}
    return sum(2 * int(np.prod(stored[node.input[1]])) for node in graph.node if node.op_type == "MatMulIntegerToFloat")


def speed(run: Path, articles: Path, rounds: int) -> dict[str, Any]:
    texts = segments(articles, 2400)
    lengths = [len(ids) for ids in WindowReader(checkpoints.load(run)).read(texts).ids]
    labeller = Labeller.load(run, engine="int8")
    reader = WindowReader(labeller.checkpoint)
    loops = bare_loops(run, texts)
    with tempfile.TemporaryDirectory() as folder:
        pipe = plain_pipeline(run, Path(folder))
        tried = {size: rate(lambda size=size: pipe(texts[:160], batch_size=size), 160) for size in BATCH_SIZES}
        best = max(tried, key=tried.__getitem__)
        few = texts[:240]
        sides: dict[str, Callable[[], float]] = {
            "pipeline": lambda: rate(lambda: pipe(few, batch_size=best), len(few)),
            "naba": lambda: rate(lambda: list(labeller.label_iter(texts)), len(texts)),
            **{name: (lambda loop=loop: rate(loop, len(texts))) for name, loop in loops.items()},
            "tokenising": lambda: rate(lambda: reader.read(texts), len(texts)),
            "peak": peak,
        }
        measured: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(rounds + 1):
            for name, side in sides.items():
                value = side()
                if number:  # the first round warms up
                    measured[name].append(value)
            print(number, {name: round(values[-1], 1) for name, values in measured.items() if values}, flush=True)
    middle = {name: statistics.median(values) for name, values in measured.items()}
    bare = max(loops, key=middle.__getitem__)
    ratios = {
        "naba / pipeline": [a / b for a, b in zip(measured["naba"], measured["pipeline"], strict=True)],
        "naba / bare": [a / b for a, b in zip(measured["naba"], measured[bare], strict=True)],
    }
    used = middle["naba"] * statistics.mean(lengths) * operations_a_token(run)
    return {
        "segments_a_second": {name: round(value, 1) for name, value in middle.items() if name != "peak"},
        "pipeline_batch_sizes": {str(size): round(value, 1) for size, value in tried.items()},
        "pipeline_best_batch_size": best,
        "bare_layout": bare,
        "ratios": {
            name: [round(x, 3) for x in (statistics.median(values), min(values), max(values))]
            for name, values in ratios.items()
        },
        "tokens_a_segment": round(statistics.mean(lengths), 1),
        "int8_peak": {"operations_a_second": round(middle["peak"]), "share_used": round(used / middle["peak"], 3)},
        "rounds": rounds,
        "cores": usable_cores(),
    }


def forms(run: Path, labelled: Path, rounds: int) -> dict[str, Any]:
    """Speed of both int8 forms on the same batches, on one core, and how far their answers are from the run's."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from naba.dataset.labelled import load_labelled
    from naba.exporting.graph import write_graph
    from naba.exporting.int8 import quantise
    from naba.exporting.parity import compare
    from naba.modelling.engines import OnnxEngine
    from naba.modelling.infer import Scorer

    checkpoint = checkpoints.load(run)
    items = load_labelled([labelled], checkpoint.schema)
    texts = [item.segment.text for item in items]
    own = Scorer(checkpoint).score(texts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_graph(checkpoint, folder / "float32.onnx")
        quantise(folder / "float32.onnx", folder / "token.onnx")
        quantize_dynamic(folder / "float32.onnx", folder / "batch.onnx", per_channel=True, weight_type=QuantType.QInt8)
        scorers = {
            form: Scorer(checkpoint, OnnxEngine(folder / f"{form}.onnx", form, workers=1))
            for form in ("token", "batch")
        }
        parity = {
            form: compare(own, scorer.score(texts), items, checkpoint.decision, checkpoint.schema).to_dict()
            for form, scorer in scorers.items()
        }
        some = texts[:400]
        rates: dict[str, list[float]] = {form: [] for form in scorers}
        for number in range(rounds + 1):
            for form, scorer in scorers.items():
                value = rate(lambda scorer=scorer: scorer.score(some), len(some))
                if number:
                    rates[form].append(value)
    ratio = statistics.median(a / b for a, b in zip(rates["token"], rates["batch"], strict=True))
    return {
        "segments_a_second_and_core": {form: round(statistics.median(values), 1) for form, values in rates.items()},
        "speed of a scale a token / a scale a batch": round(ratio, 3),
        "parity": parity,
    }


def memory(run: Path, count: int) -> dict[str, Any]:
    """How the process grows while it labels `count` segments of made-up words into a folder."""
    words = [a + b + c for a in "بتجدرسش" for b in "اوي" for c in "منلكفق"]
    numbers = np.random.default_rng(1)
    grown: dict[int, float] = {}

    def lines() -> Iterator[str]:
        for _ in range(count // 10):
            text = "\n".join(" ".join(numbers.choice(words, 20)) for _ in range(10))
            yield json.dumps({"text": text}, ensure_ascii=False) + "\n"

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "articles.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(lines())
        first = Path(folder) / "first.jsonl"
        with path.open(encoding="utf-8") as file:
            first.write_text("".join(islice(file, 1000)), encoding="utf-8")
        for part, name in ((first, 10_000), (path, count)):
            label_paths([part], Path(folder) / f"out{name}", LabelConfig(model=str(run)))
            gc.collect()
            grown[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak_rss_mib": {str(name): round(value, 1) for name, value in grown.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("articles", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--forms", type=Path, metavar="LABELLED", help="compare two int8 forms on labelled segments instead"
    )
    parser.add_argument("--memory", type=int, metavar="SEGMENTS", help="measure memory over so many segments instead")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", usable_cores())))
    if arguments.memory:
        found = {"memory": memory(arguments.run, arguments.memory)}
    elif arguments.forms:
        found = {"forms": forms(arguments.run, arguments.forms, arguments.rounds)}
    else:
        found = {"speed": speed(arguments.run, arguments.articles, arguments.rounds)}
    print(json.dumps(found, indent=2, ensure_ascii=False))
    if arguments.write:
        before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(
            json.dumps(before | found | {"environment": environment()}, indent=2, ensure_ascii=False) + "\n"
        )


if __name__ == "__main__":
    main()
