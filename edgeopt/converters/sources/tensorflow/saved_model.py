"""SavedModel folders of any age, read as the graph they hold.

``tf.saved_model.load`` rebuilds Python objects and refuses what older versions wrote. The graph,
its signatures and its saver are in every SavedModel since TensorFlow 1, so those are used instead:
nothing is run but the restoring of variables, and that only after a look at what it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgeopt.converters.sources.source import SourceOptions
from edgeopt.converters.sources.tensorflow.effects import check_effects
from edgeopt.converters.sources.tensorflow.framework import silenced, tf
from edgeopt.converters.sources.tensorflow.freezing import inlined
from edgeopt.converters.sources.tensorflow.frozen import Frozen
from edgeopt.converters.sources.tensorflow.program import TensorFlowSource, first_line
from edgeopt.converters.sources.tensorflow.signature import fixed_inputs, spec_of
from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import SourceRecord

_DEFAULT = "serving_default"
_SERVE = "serve"
_AGAIN = "copy or save it again; a file may be missing or incomplete"


class SavedModelProgram:
    """One signature of a SavedModel.

    Args:
        path: The folder.
        meta: Its ``MetaGraphDef``.
        signature: The ``SignatureDef``.
        options: What the user says of it.
    """

    def __init__(self, path: Path, meta: Any, signature: Any, options: SourceOptions) -> None:
        self.path, self._meta = path, meta
        names = sorted(signature.inputs)
        specs = tuple(spec_of(_end(signature.inputs[n]), n, str(path)) for n in names)
        self.inputs = fixed_inputs(specs, options.inputs, str(path))
        self.outputs = tuple(sorted(signature.outputs))
        self._fed = [signature.inputs[n].name for n in names]
        self._fetched = [signature.outputs[n].name for n in self.outputs]
        check_effects(meta, self._fetched, path)

    def freeze(self) -> Frozen:
        """The signature's graph, with constants for variables."""
        nodes = [name.partition(":")[0] for name in self._fetched]
        with self._session.graph.as_default():
            graph = tf.compat.v1.graph_util.convert_variables_to_constants(
                self._session, self._session.graph.as_graph_def(), nodes
            )
        return inlined(Frozen(graph, tuple(self._fed), tuple(self._fetched)))

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run the signature."""
        found: list[np.ndarray] = self._session.run(
            self._fetched, dict(zip(self._fed, arrays, strict=True))
        )
        return found

    @cached_property
    def _session(self) -> Any:
        try:
            with tf.Graph().as_default() as graph:
                session = tf.compat.v1.Session(graph=graph)
                saver = tf.compat.v1.train.import_meta_graph(self._meta)
                if saver is not None:
                    saver.restore(session, str(self.path / "variables" / "variables"))
        except Exception as error:
            # Damage surfaces as whatever the first reader of it raises.
            raise ModelError(
                f"{self.path}: its variables can't be read: {first_line(error)}", hint=_AGAIN
            ) from error
        return session


def open_saved_model(model: str | Path, options: SourceOptions) -> TensorFlowSource:
    """Open a SavedModel's folder.

    Raises:
        ModelError: If it is damaged, or has no signature that takes and gives numbers.
        UnsafeFileError: If running it would touch files, or run code.
        UsageError: If ``--signature`` is needed or doesn't exist, or ``--input`` doesn't fit.
    """
    path = Path(model)
    with silenced():
        meta = _meta_graph(path)
        chosen = _chosen(meta, options.signature, path)
        program = SavedModelProgram(path, meta, meta.signature_def[chosen], options)
    record = SourceRecord(
        kind="saved-model", location=str(path), sha256=sha256(path), signature=chosen
    )
    return TensorFlowSource(program, record, path.resolve().name)


def _meta_graph(path: Path) -> Any:
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    found = saved_model_pb2.SavedModel()
    try:
        if (path / "saved_model.pb").is_file():
            found.ParseFromString((path / "saved_model.pb").read_bytes())
        else:
            text_format.Parse((path / "saved_model.pbtxt").read_text("utf-8"), found)
    except Exception as error:
        # protobuf's two implementations raise exceptions that share no base.
        raise ModelError(
            f"{path}: its saved_model.pb can't be read ({type(error).__name__})", hint=_AGAIN
        ) from error
    if not found.meta_graphs:
        raise ModelError(f"{path}: its saved_model.pb is empty", hint=_AGAIN)
    served = [meta for meta in found.meta_graphs if _SERVE in meta.meta_info_def.tags]
    return (served or found.meta_graphs)[0]


def _chosen(meta: Any, wanted: str | None, path: Path) -> str:
    usable = {n: s for n, s in sorted(meta.signature_def.items()) if s.inputs and s.outputs}
    there = ", ".join(usable) or "none"
    if wanted is not None and wanted not in usable:
        raise UsageError(
            f"--signature {wanted}: {path} has no such signature", hint=f"it has: {there}"
        )
    if not usable:
        raise ModelError(
            f"{path}: has no signature with inputs and outputs "
            f"(it has: {', '.join(sorted(meta.signature_def)) or 'none'})",
            hint="save it with one: model.export(), or tf.saved_model.save(model, folder, "
            "signatures=...)",
        )
    name = wanted or (_DEFAULT if _DEFAULT in usable else next(iter(usable)))
    if wanted is None and name != _DEFAULT and len(usable) > 1:
        raise UsageError(
            f"{path}: has several signatures and no {_DEFAULT}",
            hint=f"choose one with --signature: {there}",
        )
    return name


class _end:  # noqa: N801 - stands in for a tensor: what it takes of one is dtype, shape and name
    def __init__(self, info: Any) -> None:
        self.name, self.dtype = info.name, info.dtype
        self.shape = tf.TensorShape(info.tensor_shape)
