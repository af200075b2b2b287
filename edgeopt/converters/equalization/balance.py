"""How far to scale each channel: until what goes into it weighs as much as what comes out.

Of all nets with the same function, the one whose weights have the least sum of squares has, for
every channel, rows of weights (and a bias) before it of the same norm as the columns after it
(Stock et al. 2019, "Equi-normalization of Neural Networks", section 3). Nagel et al. 2019,
"Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.1, equalize the
largest weights in the same way. Norms find the scales that training left, and largest weights
don't: trained nets are balanced in just this sense, so that an unspoilt one stays as it is.

The result doesn't depend on how a net was spoilt: it is computed from one that all of its rescaled
versions share, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeopt.converters.equalization.channels import FIXED, ChannelMap, Layer, Numbers, Offset

Reals = NDArray[np.float64]

SWEEPS = 20
"""Each halves what is left of a channel's imbalance."""

_BIAS = 2.0**-4
"""How much a bias counts beside weights in the balance. It mostly takes off what its weights add to
the mean; but a channel that is little else must not be scaled by its weights' noise."""

_UNSURE = 0.375
"""How far from a power of two, in halvings, a scale lies about halfway between two of them."""

_RANGE = 3.0
"""How many times the weights' integer range, in units of the largest, the activations' is, in units
of the root mean square: twice the largest weight against some six times the latter."""


@dataclass(frozen=True)
class Balance:
    """What equalizing would do.

    Args:
        exponents: Powers of two by number, ``(count,)``; 0 for :data:`FIXED`.
        tensors: The tensor that each number belongs to, ``(count,)``: those of its channels are
            chosen together.
        gains_db: By how much it is estimated to cut the rounding noise behind that tensor.
    """

    exponents: Numbers
    tensors: Numbers
    gains_db: Reals


@dataclass(frozen=True, eq=False)
class _Term:
    """Squared weights between channels; a bias comes from one fixed channel.

    Args:
        inputs: ``(groups, I)``.
        outputs: ``(groups, O)``.
        squares: ``(groups, O, I)``, summed over taps.
        offset: Whether it is a bias.
    """

    inputs: Numbers
    outputs: Numbers
    squares: Reals
    offset: bool

    def rows(self, of_inputs: Reals) -> Reals:
        """Sums over the inputs, each times its entry in ``(count,)``: ``(groups, O)``."""
        result: Reals = (self.squares @ of_inputs[self.inputs][..., np.newaxis])[..., 0]
        return result

    def columns(self, of_outputs: Reals) -> Reals:
        """Sums over the outputs, each times its entry in ``(count,)``: ``(groups, I)``."""
        result: Reals = (of_outputs[self.outputs][:, np.newaxis, :] @ self.squares)[:, 0]
        return result


def balance(channels: ChannelMap) -> Balance:
    """Find the powers of two that balance every free tensor.

    Args:
        channels: Of the graph. Where some channels of a tensor can't be scaled, none are.

    Returns:
        Exponents and gains of 0 for a net whose weights are beyond all measure.
    """
    tensors = _tensors(channels)
    terms = list(_terms(channels, np.where(tensors == FIXED, FIXED, np.arange(channels.count))))
    with np.errstate(all="ignore"):
        start = _start(terms, channels.count)
        for term in terms:
            _rescale(term, start)
        power, scales = _power(terms, channels.count), _scales(terms, channels.count)
        if not np.isfinite([power, scales]).all():
            return Balance(np.zeros_like(start), tensors, np.zeros(channels.count))
        steps = _rounded(scales, tensors, power)
        before, after = (_noise(terms, tensors, power, by) for by in (-start, steps))
        gains = 10 * np.log10(before / after)[tensors]
    return Balance(start + steps, tensors, np.nan_to_num(gains, nan=0.0))


def _tensors(channels: ChannelMap) -> Numbers:
    """The least number of those that belong to a tensor together."""
    layers = [p for p in channels.parameters if isinstance(p, Layer)]
    sides = [_distinct(side) for layer in layers for side in (layer.inputs, layer.outputs)]
    labels = np.arange(channels.count)
    while True:
        before = labels.copy()
        for side in sides:
            labels[side] = labels[side].min()
        if (labels == before).all():
            return labels


def _distinct(numbers: Numbers) -> Numbers:
    """Each number once, ascending."""
    return np.flatnonzero(np.bincount(numbers.reshape(-1)))


def _terms(channels: ChannelMap, numbers: Numbers) -> Iterator[_Term]:
    """What any free channel is part of, under other numbers."""
    for parameter in channels.parameters:
        if isinstance(parameter, Offset):
            given = numbers[parameter.channels]
            if given.any():
                yield _offset_term(parameter, given)
            continue
        taken, given = numbers[parameter.inputs], numbers[parameter.outputs]
        if taken.any() or given.any():
            assert parameter.weight.const_value is not None
            weights = parameter.blocks(parameter.weight.const_value.numpy())
            if not taken.any():  # then they count together only
                taken, weights = taken[:, :1], weights.reshape(*given.shape, 1, 1, -1)
            squares = np.einsum("goirt,goirt->goi", weights, weights, dtype=np.float64)
            yield _Term(taken, given, squares, offset=False)


def _offset_term(parameter: Offset, given: Numbers) -> _Term:
    assert parameter.constant.const_value is not None
    array = np.moveaxis(parameter.constant.const_value.numpy(), parameter.axis, -1)
    largest = np.abs(array.reshape(-1, array.shape[-1])).max(0).astype(np.float64)
    squares = np.square(largest)[np.newaxis, :, np.newaxis]
    return _Term(np.full((1, 1), FIXED), given[np.newaxis], squares, offset=True)


def _start(terms: Sequence[_Term], count: int) -> Numbers:
    """Exponents that bring every channel to 1 or 2 if those before it are near 1.

    Each follows from the first weights before it that aren't zero, so that they turn a net and a
    rescaled one into the same.
    """
    exponents, known = np.zeros(count, np.intp), np.zeros(count, bool)
    known[FIXED] = True
    pending = np.zeros(count)

    def settle() -> None:
        new = ~known & (pending > 0)
        exponents[new] = 1 - np.frexp(np.sqrt(pending[new]))[1]
        known[new] = True
        pending[:] = 0

    while True:
        before = known.sum()
        for term in terms:
            if not term.offset:
                settle()
            if not known[term.outputs].all():
                np.add.at(pending, term.outputs, term.rows(known * _powers(-exponents)))
        settle()
        if known.sum() == before:
            break
    # What is always zero has no size: its columns have.
    for term in terms:
        np.add.at(pending, term.inputs, term.columns(known * _powers(exponents)))
    dead = ~known & (pending > 0)
    exponents[dead] = np.frexp(np.sqrt(pending[dead]))[1]
    return exponents


def _powers(exponents: NDArray[np.floating] | Numbers) -> Reals:
    """``4 ** exponents``, for squares; exact where these are integers."""
    whole = np.floor(exponents)
    result: Reals = np.ldexp(np.exp2(2.0 * (exponents - whole)), (2 * whole).astype(np.int32))
    return result


def _rescale(term: _Term, exponents: Numbers) -> None:
    """In place: all squares together are twice as large as the weights."""
    given, taken = _powers(exponents)[term.outputs], _powers(-exponents)[term.inputs]
    squares = term.squares
    squares *= given[:, :, np.newaxis]
    squares *= taken[:, np.newaxis, :]


def _scales(terms: Sequence[_Term], count: int) -> Reals:
    """The logarithms to base 2 of the scales that balance a net, ``(count,)``."""
    terms = [_collapsed(term) for term in terms]
    scales = np.zeros(count)
    for _ in range(SWEEPS):
        rows, columns = np.zeros(count), np.zeros(count)
        given, taken = _powers(scales), _powers(-scales)
        for term in terms:
            np.add.at(rows, term.outputs, given[term.outputs] * term.rows(taken))
            np.add.at(columns, term.inputs, taken[term.inputs] * term.columns(given))
        both = (rows > 0) & (columns > 0)
        both[FIXED] = False
        # Half of the way: a layer's two sides move at once.
        scales[both] += np.log2(columns[both] / rows[both]) / 8
    return scales


def _collapsed(term: _Term) -> _Term:
    """The same to the balance, with one output a group where they are fixed."""
    squares = term.squares * _BIAS**2 if term.offset else term.squares
    if term.outputs.any():
        return replace(term, squares=squares)
    return replace(term, outputs=term.outputs[:, :1], squares=squares.sum(1, keepdims=True))


def _power(terms: Sequence[_Term], count: int) -> Reals:
    """The estimated mean square of each channel, ``(count,)``, if those before it are at 1."""
    power = np.zeros(count)
    for term in terms:
        np.add.at(power, term.outputs, term.squares.sum(2))
    power[FIXED] = 0
    return power


def _rounded(scales: Reals, tensors: Numbers, power: Reals) -> Numbers:
    """Powers of two, of each tensor as close to all of its scales as they can be.

    One factor for a whole tensor changes nothing that rounding to integers does, so it is chosen
    such that few scales lie halfway between two powers. One that does is not rounded up beyond the
    largest channel: that would make all of them coarser.
    """
    steps = np.zeros(len(scales), np.intp)
    factors = np.arange(64) / 64
    for tensor in _distinct(tensors[tensors != FIXED]):
        members = np.flatnonzero(tensors == tensor)
        away = scales[members] - factors[:, np.newaxis]
        away = away[((away - np.rint(away)) ** 4).sum(1).argmin()]
        largest = (power[members] * _powers(away)).max()
        found = np.rint(away)
        wider = (found - away > _UNSURE) & (power[members] * _powers(found) > largest)
        found = np.where(wider, found - 1, found)
        steps[members] = found - np.sort(found)[len(found) // 2]
    return steps


def _noise(terms: Sequence[_Term], tensors: Numbers, power: Reals, steps: Numbers) -> Reals:
    """Estimated noise over signal behind each tensor once it is rounded to integers.

    A row of weights adds up the roundings of the activations, all as coarse as the tensor's largest
    channel needs, and those of its weights, as coarse as its largest needs.

    Args:
        terms: Of the net that all rescaled ones share.
        tensors: Of each number.
        power: The mean square of each number's channels there.
        steps: The exponents by which they are scaled.

    Returns:
        By tensor, ``(count,)``; not a number where nothing is known.
    """
    count = len(tensors)
    scaled, undone = power * _powers(steps), _powers(-steps)
    coarsest, ratios, rows = np.zeros(count), np.zeros(count), np.zeros(count)
    np.maximum.at(coarsest, tensors, scaled)
    for term in terms:
        if not term.inputs.any():
            continue
        tensor = tensors[term.inputs.flat[0]]
        largest = (term.squares * undone[term.inputs][:, np.newaxis, :]).max(2)
        noise = _RANGE**2 * coarsest[tensor] * term.rows(undone)
        noise += largest * scaled[term.inputs].sum(1, keepdims=True)
        signal = term.rows(power)
        heard = signal > 0
        ratios[tensor] += (noise[heard] / signal[heard]).sum()
        rows[tensor] += heard.sum()
    result: Reals = ratios / rows
    return result
