"""LSTM, GRU and RNN, unrolled: a step of matrix products for each entry of the sequence.

LiteRT's own sequence kernels keep their state in variables that a delegate doesn't take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined, mapped
from edgeopt.converters.tflite.ops.joining import joined
from edgeopt.converters.tflite.ops.matrices import fully_connected
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.repeating import repeated
from edgeopt.converters.tflite.slices import sliced
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.converters.tflite.lowering import Lowering

    Array = NDArray[np.float32]

LONGEST = 512
"""Steps that are unrolled; a file of more would be slow to load and to run."""

_ACTIVATIONS = {"sigmoid": "LOGISTIC", "tanh": "TANH", "relu": "RELU"}
_DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True, eq=False)
class Cell:
    """One direction's weights, and how a step is made of them.

    Args:
        lowering: The walk.
        hidden: Size of the state.
        inner: ``(gates * hidden, I)``, of the input.
        again: ``(gates * hidden, hidden)``, of the state.
        bias: ``(gates * hidden,)``, of the input.
        bias_again: Likewise, of the state.
        peepholes: ``(3 * hidden,)`` of an LSTM that has them.
        activations: LiteRT's names.
        options: ``linear_before_reset`` or ``input_forget``.
    """

    lowering: Lowering
    hidden: int
    inner: Array
    again: Array
    bias: Array
    bias_again: Array
    peepholes: Array | None
    activations: tuple[str, ...]
    options: bool

    def act(self, place: int, view: View) -> View:
        """An activation by its place."""
        return mapped(self.lowering, self.activations[place], view)

    def gate(self, view: View, n: int, count: int = 1) -> View:
        """Some gates' columns of ``(B, gates * hidden)``."""
        cut = slice(n * self.hidden, (n + count) * self.hidden, 1)
        return sliced(self.lowering, view, {view.rank - 1: cut})

    def linear(self, data: View, weight: Array, bias: Array) -> View:
        """``data @ weight.T + bias``."""
        rows = View.of(self.lowering.constant_tensor(weight, "weights"))
        vector = self.lowering.constant_tensor(bias, "bias") if bias.any() else None
        return fully_connected(self.lowering, data, rows, vector)

    def add(self, *views: View) -> View:
        """The sum."""
        first, *rest = views
        for other in rest:
            first = combined(self.lowering, "ADD", [first, other])
        return first

    def mul(self, left: View, right: View) -> View:
        """The product."""
        return combined(self.lowering, "MUL", [left, right])

    def peep(self, state: View, n: int) -> View:
        """What a gate sees of the cell's state."""
        assert self.peepholes is not None
        part = self.peepholes[n * self.hidden : (n + 1) * self.hidden]
        return self.mul(state, View.of(self.lowering.constant_tensor(part, f"peephole_{n}")))


State = tuple[View, ...]
Step = Callable[[Cell, View, State], State]


@lowers("LSTM", "GRU", "RNN", since=7)
def recurrent(node: ir.Node, lowering: Lowering) -> None:
    """Lower a recurrent layer, in each of its directions."""
    _refuse(node, lowering)
    data = lowering.view(node.inputs[0])
    if node.attributes.get_int("layout", 0):
        data = data.permuted((1, 0, 2))
    steps = data.shape[0]
    if steps > LONGEST or 0 in data.batched:
        raise lowering.unsupported(
            node, f"its sequence has {steps} steps; up to {LONGEST} are unrolled",
            "export with a shorter sequence, and carry the state from run to run",
        )  # fmt: skip
    directions = {"forward": (1,), "reverse": (-1,), "bidirectional": (1, -1)}[
        node.attributes.get_string("direction", "forward") or "forward"
    ]
    outputs, states = [], []
    for index, way in enumerate(directions):
        cell = _cell(node, lowering, index, len(directions))
        state = _initial(node, lowering, data, cell.hidden, index)
        each, last = _run(node, cell, data, state, way)
        outputs.append(each)
        states.append(last)
    _bind(node, lowering, outputs, states)


def _run(node: ir.Node, cell: Cell, data: View, state: State, way: int) -> tuple[list[View], State]:
    """The state after each step, in the order of the sequence, and the last one."""
    step: Step = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}[node.op_type]
    fused = step is not _gru or not cell.options
    bias = cell.bias + cell.bias_again if fused and step is not _gru else cell.bias
    seen = cell.linear(data, cell.inner, bias)
    steps = data.shape[0]
    found: list[View] = []
    for at in range(steps)[::way]:
        now = sliced(cell.lowering, seen, {0: slice(at, at + 1, 1)}).squeezed({0})
        state = step(cell, now, state)
        found.append(state[0])
    return found[::way], state


def _lstm(cell: Cell, now: View, state: State) -> State:
    """Gates in ONNX's order: input, output, forget, cell (operator LSTM, "Equations")."""
    before, inside = state
    total = cell.add(now, cell.linear(before, cell.again, np.zeros_like(cell.bias)))
    if cell.peepholes is None:
        gates = cell.act(0, cell.gate(total, 0, 3))
        enter, leave, keep = (cell.gate(gates, n) for n in range(3))
    else:
        enter = cell.act(0, cell.add(cell.gate(total, 0), cell.peep(inside, 0)))
        keep = cell.act(0, cell.add(cell.gate(total, 2), cell.peep(inside, 2)))
    fresh = cell.act(1, cell.gate(total, 3))
    inside = cell.add(cell.mul(keep, inside), cell.mul(enter, fresh))
    if cell.peepholes is not None:
        leave = cell.act(0, cell.add(cell.gate(total, 1), cell.peep(inside, 1)))
    return cell.mul(leave, cell.act(2, inside)), inside


def _gru(cell: Cell, now: View, state: State) -> State:
    """Gates in ONNX's order: update, reset, hidden (operator GRU, "Equations")."""
    (before,) = state
    two = 2 * cell.hidden
    if cell.options:
        again = cell.linear(before, cell.again, cell.bias_again)
        both = cell.act(0, cell.add(cell.gate(now, 0, 2), cell.gate(again, 0, 2)))
        update, reset = cell.gate(both, 0), cell.gate(both, 1)
        fresh = cell.add(cell.gate(now, 2), cell.mul(reset, cell.gate(again, 2)))
    else:
        again = cell.linear(before, cell.again[:two], cell.bias_again[:two])
        both = cell.act(0, cell.add(cell.gate(now, 0, 2), again))
        update, reset = cell.gate(both, 0), cell.gate(both, 1)
        inner = cell.linear(cell.mul(reset, before), cell.again[two:], cell.bias_again[two:])
        fresh = cell.add(cell.gate(now, 2), inner)
    fresh = cell.act(1, fresh)
    difference = combined(cell.lowering, "SUB", [before, fresh])
    return (cell.add(fresh, cell.mul(update, difference)),)


def _rnn(cell: Cell, now: View, state: State) -> State:
    (before,) = state
    total = cell.add(now, cell.linear(before, cell.again, np.zeros_like(cell.bias)))
    return (cell.act(0, total),)


def _refuse(node: ir.Node, lowering: Lowering) -> None:
    if node.attributes.get("activation_alpha") or node.attributes.get("activation_beta"):
        raise lowering.unsupported(node, "its activations have parameters")
    if node.attributes.get_float("clip", 0.0):
        raise lowering.unsupported(node, "it clips its gates")
    if node.attributes.get_int("input_forget", 0):
        raise lowering.unsupported(node, "it couples its input and forget gates")
    lengths = lowering.constant(node, 4)
    data = lowering.view(node.inputs[0])
    steps = data.shape[1 if node.attributes.get_int("layout", 0) else 0]
    if lengths is not None and (lengths != steps).any():
        raise lowering.unsupported(node, "its sequences have different lengths")


def _cell(node: ir.Node, lowering: Lowering, index: int, directions: int) -> Cell:
    weights = [lowering.constant(node, n) for n in (1, 2, 3)]
    inner, again, biases = (None if w is None else np.asarray(w[index]) for w in weights)
    assert inner is not None
    assert again is not None
    kind = node.op_type
    hidden = again.shape[1]
    if biases is None:
        biases = np.zeros(2 * _GATES[kind] * hidden, np.float32)
    peepholes = lowering.constant(node, 7) if kind == "LSTM" else None
    names = node.attributes.get_strings("activations", list(_DEFAULTS[kind]) * directions)
    count = len(_DEFAULTS[kind])
    own = [n.lower() for n in names[index * count : (index + 1) * count]]
    strange = next((n for n in own if n not in _ACTIVATIONS), None)
    if strange is not None:
        raise lowering.unsupported(node, f"EdgeOpt doesn't unroll with {strange!r}")
    half = len(biases) // 2
    return Cell(
        lowering, hidden, inner, again, biases[:half], biases[half:],
        None if peepholes is None else np.asarray(peepholes[index]),
        tuple(_ACTIVATIONS[n] for n in own),
        bool(node.attributes.get_int("linear_before_reset", 0)),
    )  # fmt: skip


def _initial(node: ir.Node, lowering: Lowering, data: View, hidden: int, index: int) -> State:
    """The state before the first step, ``(B, hidden)`` each; zeros where it isn't given."""
    found = []
    for place in (5, 6) if node.op_type == "LSTM" else (5,):
        value = node.inputs[place] if place < len(node.inputs) else None
        if value is None:
            zeros = np.zeros((data.shape[1], hidden), np.float32)
            view = View.of(lowering.constant_tensor(zeros, "state"))
            found.append(repeated(lowering, view, 0) if 1 in data.batched else view)
            continue
        view = lowering.view(value)
        if node.attributes.get_int("layout", 0):
            view = view.permuted((1, 0, 2))
        part = sliced(lowering, view, {0: slice(index, index + 1, 1)})
        found.append(part.squeezed({0}))
    return tuple(found)


def _bind(
    node: ir.Node, lowering: Lowering, outputs: list[list[View]], states: list[State]
) -> None:
    batch_first = bool(node.attributes.get_int("layout", 0))
    wanted = [output.uses() or output.is_graph_output() for output in node.outputs]
    if wanted and wanted[0]:
        ways = [
            joined(lowering, [v.expanded([0]) for v in each], 0).expanded([1]) for each in outputs
        ]
        whole = joined(lowering, ways, 1)
        lowering.bind(node.outputs[0], whole.permuted((2, 0, 1, 3)) if batch_first else whole)
    for place, output in enumerate(node.outputs[1:]):
        if wanted[place + 1]:
            last = joined(lowering, [state[place].expanded([0]) for state in states], 0)
            lowering.bind(output, last.permuted((1, 0, 2)) if batch_first else last)
