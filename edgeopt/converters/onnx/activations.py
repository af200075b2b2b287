"""How a QDQ model's activations are encoded: most by the target's rule, some at 16 bits."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from edgeopt.calibration.encodings import encode_fixed, encode_range
from edgeopt.calibration.points import range_source
from edgeopt.calibration.ranges import Range
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.targets import EncodingRules, FixedEncoding, TensorRule


@dataclass(frozen=True)
class Activations:
    """Gives every quantized activation its encoding.

    Args:
        rules: The target's.
        ranges: As chosen from the table.
        wide: The same for 16 bits.
        sources: Names of the tensors that have 16 bits though the others have 8.
        fixed: Encodings that the kernels assume, by the tensor's name.
    """

    rules: EncodingRules
    ranges: Mapping[str, Range]
    wide: Mapping[str, Range]
    sources: Set[str]
    fixed: Mapping[str, FixedEncoding] = field(default_factory=dict)

    def encoding(self, value: ir.Value) -> Encoding:
        """The encoding of an activation that the plan quantizes."""
        source = range_source(value).name or ""
        rule = self._rule(source)
        if source in self.fixed and source not in self.sources:
            return encode_fixed(value.name or "", self.fixed[source], rule)
        chosen = self.wide[source] if rule.bits == 16 else self.ranges[source]
        return encode_range(value.name or "", chosen, rule)

    def is_wide(self, value: ir.Value) -> bool:
        """Whether it has 16 bits."""
        return self._rule(range_source(value).name or "").bits == 16

    def _rule(self, source: str) -> TensorRule:
        if source not in self.sources:
            return self.rules.activation
        assert self.rules.wide is not None, "checked when the options were read"
        return self.rules.wide
