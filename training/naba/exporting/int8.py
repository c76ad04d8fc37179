"""A float32 graph as int8: weights with a scale an output channel, activations with a scale a token, found as they come.

    quantise(Path("float32.onnx"), Path("int8.onnx"))

onnxruntime's own dynamic quantisation gives a whole batch one scale. A single large value, of which the layer behind
GELU has many, then coarsens every token; and a segment's scores depend on what shares its batch. A scale a token costs a
little speed, changes far fewer answers, and depends on nothing but the token (`tests/benchmarks/labelling.py --forms`
measures both). The form is that of Dettmers et al. 2022, "LLM.int8()", section 2, vector-wise quantisation.

Only products with stored weights, and the table of word vectors, become integers; attention stays in float32.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from naba.errors import CheckpointError

_MICROSOFT = "com.microsoft"
"""onnxruntime's own operators: only it runs such a graph."""
_LARGE_TABLE = 1_000_000
"""Tables with at least so many values are word vectors; smaller ones, such as positions, are not worth it."""
_MIDDLE = 128
"""Zero of the unsigned bytes that activations become: processors multiply unsigned by signed bytes."""
_FLOORS = {"Gelu": -0.17, "Relu": 0.0}
"""What these functions never fall below: all 255 steps of a byte then lie between there and the largest value."""


def quantise(source: Path, target: Path) -> None:
    """Write the int8 form of a float32 graph.

    Raises CheckpointError where the graph has no product with stored weights.
    """
    rewriting = _Rewriting(onnx.load(source))
    onnx.save(rewriting.model(), target)
    if not rewriting.products:
        raise CheckpointError(f"{source}: no layer in it can be turned to int8")


class _Rewriting:
    """One graph, node by node."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._made_by = {output: node.op_type for node in model.graph.node for output in node.output}
        self._nodes: list[onnx.NodeProto] = []
        self._quantised: dict[str, str] = {}
        self.products = 0

    def model(self) -> onnx.ModelProto:
        graph = self._model.graph
        for node in graph.node:
            if node.op_type == "MatMul" and self._rank(node.input[1]) == 2:
                self._product(node)
            elif node.op_type == "Gather" and self._is_table(node):
                self._table(node)
            else:
                self._nodes.append(node)
        used = {name for node in self._nodes for name in node.input}
        kept = [tensor for name, tensor in self._stored.items() if name in used]
        for part, content in ((graph.node, self._nodes), (graph.initializer, kept), (graph.value_info, [])):
            del part[:]
            part.extend(content)
        self._model.opset_import.append(helper.make_opsetid(_MICROSOFT, 1))
        return self._model

    def _rank(self, name: str) -> int:
        return len(self._stored[name].dims) if name in self._stored else 0

    def _is_table(self, node: onnx.NodeProto) -> bool:
        name = node.input[0]
        along_rows = all(attribute.i == 0 for attribute in node.attribute if attribute.name == "axis")
        return along_rows and self._rank(name) == 2 and int(np.prod(self._stored[name].dims)) >= _LARGE_TABLE

    def _product(self, node: onnx.NodeProto) -> None:
        """X · W [.., M] as (bytes of X · bytes of W) · scale of the token · scale of the channel.

        Where X is bytes · scale + floor, the floor's share, floor · ΣW, is the same for every token.
        """
        weights = numpy_helper.to_array(self._stored[node.input[1]])  # [D, M]
        values, scale = _bytes_of(weights, axis=0)
        floor = _FLOORS.get(self._made_by.get(node.input[0], ""))
        x, own = self._activations(node.input[0], len(weights), floor), f"{node.name}_int8"
        zero = _MIDDLE if floor is None else 0
        inputs = [
            f"{x}_bytes",
            self._store(f"{own}_weights", values),
            self._store("one", np.array(1, np.float32)),
            self._store(f"{own}_scale", scale.ravel()),
            self._store(f"zero_{zero}", np.array(zero, np.uint8)),
        ]
        self._add("MatMulIntegerToFloat", inputs, f"{own}_product", domain=_MICROSOFT)
        self._add("Mul", [f"{own}_product", f"{x}_scale"], f"{own}_scaled")
        scaled = f"{own}_scaled"
        if floor:
            share = floor * (values * scale).sum(axis=0)
            self._add("Add", [scaled, self._store(f"{own}_share", share.astype(np.float32))], f"{own}_whole")
            scaled = f"{own}_whole"
        width = self._store(f"width_{weights.shape[1]}", np.array([weights.shape[1]], np.int64))
        self._add("Concat", [f"{x}_lead", width], f"{own}_shape", axis=0)
        self._add("Reshape", [scaled, f"{own}_shape"], node.output[0])
        self.products += 1

    def _activations(self, name: str, width: int, floor: float | None) -> str:
        """Quantise activations [.., D], once for all the products they go into; gives the prefix of their names.

        `_bytes` [N, D], `_scale` [N, 1] with N the tokens of all rows, and `_lead`, the shape without D.
        """
        if name in self._quantised:
            return self._quantised[name]
        own = self._quantised[name] = f"{name}_int8"
        first, last = (self._store(f"index_{i}", np.array([i], np.int64)) for i in (0, -1))
        channels = self._store("axis_1", np.array([1], np.int64))
        flat = self._store(f"flat_{width}", np.array([-1, width], np.int64))
        self._add("Shape", [name], f"{own}_all")
        self._add("Slice", [f"{own}_all", first, last], f"{own}_lead")
        self._add("Reshape", [name, flat], f"{own}_flat")
        if floor is None:
            values, steps, zero = f"{own}_flat", 127, _MIDDLE
            self._add("Abs", [values], f"{own}_size")
        else:
            values, steps, zero = f"{own}_size", 255, 0
            self._add("Sub", [f"{own}_flat", self._store(f"floor_{floor}", np.array(floor, np.float32))], values)
        self._add("ReduceMax", [f"{own}_size", channels], f"{own}_largest", keepdims=1)
        self._add("Mul", [f"{own}_largest", self._store(f"per_{steps}", np.array(1 / steps, np.float32))], f"{own}_raw")
        self._add("Max", [f"{own}_raw", self._store("tiny", np.array(1e-12, np.float32))], f"{own}_scale")
        self._add("Squeeze", [f"{own}_scale", channels], f"{own}_scales")
        self._add("Shape", [f"{own}_scales"], f"{own}_tokens")
        zeros = self._store(f"zeros_{zero}", np.array([zero], np.uint8))
        self._add("Expand", [zeros, f"{own}_tokens"], f"{own}_zeros")
        self._add("QuantizeLinear", [values, f"{own}_scales", f"{own}_zeros"], f"{own}_bytes", axis=0)
        return own

    def _table(self, node: onnx.NodeProto) -> None:
        """Word vectors as bytes with a scale a word."""
        values, scale = _bytes_of(numpy_helper.to_array(self._stored[node.input[0]]), axis=1)  # [V, D], [V, 1]
        own = f"{node.name}_int8"
        self._add("Gather", [self._store(f"{own}_table", values), node.input[1]], f"{own}_rows", axis=0)
        self._add("Gather", [self._store(f"{own}_scales", scale), node.input[1]], f"{own}_scale", axis=0)
        self._add("Cast", [f"{own}_rows"], f"{own}_whole", to=onnx.TensorProto.FLOAT)
        self._add("Mul", [f"{own}_whole", f"{own}_scale"], node.output[0])

    def _store(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._stored:
            self._stored[name] = numpy_helper.from_array(value, name)
        return name

    def _add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=f"{output}_node", **attributes))


def _bytes_of(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric bytes in [-127, 127] and the scale along an axis: values ≈ bytes · scale."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)
