"""How an artifact is written: by EdgeOpt's own writers, or by way of an official converter."""

from __future__ import annotations

from dataclasses import dataclass

from edgeopt.converters.registry import FALLBACK, OFFICIAL, WRITERS, Entry
from edgeopt.converters.sources import Source
from edgeopt.core.errors import MissingExtraError, UnsupportedError, UsageError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.precision import Format, Precision
from edgeopt.core.via import Via
from edgeopt.pipeline.options import ConvertOptions


@dataclass(frozen=True)
class Route:
    """The way to TFLite artifacts.

    Args:
        via: The official converter; None for EdgeOpt's own compiler.
        reason: What our own compiler can't express, where that is why; empty where the converter
            was asked for.
    """

    via: Via | None = None
    reason: str = ""

    @property
    def official(self) -> bool:
        """Whether an official converter is given the whole model, its calibration included."""
        return self.via is not None and not self.reason

    @property
    def note(self) -> tuple[str, ...]:
        """What the user is told."""
        if not self.reason:
            return ()
        return (f"TFLite by way of TFLiteConverter, any ranges EdgeOpt's: {self.reason}",)

    def entry(self, fmt: Format, precision: Precision) -> Entry:
        """What writes an artifact."""
        if fmt is not Format.TFLITE or self.via is None:
            return WRITERS[fmt, precision]
        return FALLBACK[precision] if self.reason else OFFICIAL[self.via, precision]


def route_of(options: ConvertOptions, source: Source, graph: FloatGraph) -> Route:
    """Choose the way, before any long step.

    Raises:
        UsageError: If ``--via`` names a converter that doesn't take this model.
        UnsupportedError: If our compiler can't express the model and nothing else can either, or
            a package that would isn't installed.
    """
    if Format.TFLITE not in options.to:
        return Route()
    if options.via is not None:
        return _asked(options.via, source)
    from edgeopt.converters.tflite.survey import check_fits, lacks_operators

    name = source.record.location
    try:
        check_fits(graph.path, name)
    except UnsupportedError as error:
        # What isn't about an operator (a dimension that is open) is the user's to mend.
        if source.official is not Via.TENSORFLOW or not lacks_operators(graph.path, name):
            raise
        return _fallen_back(options, error.message.removeprefix(f"{name}: "), error)
    return Route()


def _asked(via: Via, source: Source) -> Route:
    if source.official is not via:
        raise UsageError(
            f"--via {via}: {via.converter} takes {via.takes} models, not {source.record.location}",
            hint="leave --via out",
        )
    return Route(via)


def _fallen_back(options: ConvertOptions, reason: str, error: UnsupportedError) -> Route:
    for precision in options.precision:
        if precision not in FALLBACK:
            raise UnsupportedError(
                error.message, hint=f"by way of TFLiteConverter there is: {', '.join(FALLBACK)}"
            ) from error
        try:
            FALLBACK[precision].check()
        except MissingExtraError as missing:
            raise UnsupportedError(
                error.message, hint=f"{missing.hint}, and it goes by way of TFLiteConverter"
            ) from error
    if options.keep_float or options.keep_16bit:
        raise UnsupportedError(
            error.message,
            hint="by way of TFLiteConverter it would work, without --keep-float and --keep-16bit",
        ) from error
    return Route(Via.TENSORFLOW, reason)
