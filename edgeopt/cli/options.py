"""Options that several commands have, so that each has one name and one meaning."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

import click

from edgeopt.cli.command import COMMON, option
from edgeopt.cli.terminal import Terminal, explaining
from edgeopt.cli.values import numbers, scale, side, size

F = TypeVar("F", bound=Callable[..., Any])

MODEL = "About the model"
TIMING = "Timing"
PREPROCESSING = "Preprocessing of pictures"
PROJECT = "edgeopt.toml"


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``, ``-q`` and ``-v``; the function gets a :class:`Terminal` first."""

    @option("--json", "as_json", is_flag=True, section=COMMON, help="Print the result as JSON.")
    @option("-q", "--quiet", is_flag=True, section=COMMON, help="No progress and no warnings.")
    @option("-v", "--verbose", is_flag=True, section=COMMON, help="Also what other packages say.")
    @functools.wraps(function)
    def wrapped(as_json: bool, quiet: bool, verbose: bool, **options: Any) -> Any:
        if quiet and verbose:
            raise click.UsageError("-q and -v don't go together", click.get_current_context())
        with explaining() if verbose else nullcontext():
            return function(Terminal(as_json, quiet, verbose), **options)

    return wrapped


def timing_options(function: F) -> F:
    """How artifacts are timed."""
    for decorate in reversed((*_CALLS[:2], *_SPENT, *_CALLS[2:])):
        function = decorate(function)
    return function


def call_options(function: F) -> F:
    """The same without how long it takes, where the figures decide that."""
    for decorate in reversed(_CALLS):
        function = decorate(function)
    return function


def preprocessing_options(function: F) -> F:
    """The preprocessing contract, from a file or from options of its own."""
    for decorate in reversed(_CONTRACT):
        function = decorate(function)
    return function


def model_options(function: F) -> F:
    """What a model's file may not tell."""
    for decorate in reversed(_MODEL):
        function = decorate(function)
    return function


def code_option(function: F) -> F:
    """Whether code that other options name may run."""
    decorate: Callable[[F], F] = option(
        "--no-code",
        "code",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Refuse to run code that an option names.",
    )
    return decorate(function)


def config_option(function: F) -> F:
    """A project's file, whose budgets hold where no option says otherwise."""
    decorate: Callable[[F], F] = option(
        "--config",
        type=click.Path(),
        callback=_project,
        section="Budgets",
        metavar="FILE.toml",
        help="A file of budgets, in general and by target; edgeopt.toml in the current folder, if "
        "there is one, if not given.",
    )
    return decorate(function)


def _project(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    # A link that leads nowhere is there, too: a gate must not lose its budgets unseen.
    return PROJECT if given is None and os.path.lexists(PROJECT) else given


def store_option(function: F) -> F:
    """Where baselines are."""
    decorate: Callable[[F], F] = option(
        "--store",
        metavar="DIR|URL",
        help="Where baselines are: a folder, or a URL as in s3://bucket/folder; .edgeopt/baselines "
        "if not given.",
    )
    return decorate(function)


_MODEL: tuple[Callable[[Any], Any], ...] = (
    option(
        "--input",
        multiple=True,
        section=MODEL,
        metavar="SPEC",
        help="An input that the file can't tell: name:float32[1,3,224,224]; a dimension that is a "
        "word is dynamic; name=16000 makes it a constant. Once for each input.",
    ),
    option(
        "--weights",
        type=click.Path(),
        section=MODEL,
        metavar="FILE",
        help="Weights of the model that module:factory makes: .safetensors, .pt or .weights.h5.",
    ),
    option(
        "--signature",
        section=MODEL,
        metavar="NAME",
        help="The signature of a SavedModel to take; serving_default or the only one if not given.",
    ),
    option(
        "--no-code",
        "code",
        is_flag=True,
        flag_value=False,
        default=True,
        section=MODEL,
        help="Refuse to run code that MODEL or an option names.",
    ),
)

_CONTRACT: tuple[Callable[[Any], Any], ...] = (
    option(
        "--preprocess",
        type=click.Path(),
        metavar="FILE.toml",
        section=PREPROCESSING,
        help="The contract as a file, instead of the options below.",
    ),
    option(
        "--resize",
        type=size,
        metavar="N|HxW",
        section=PREPROCESSING,
        help="The shorter side in pixels, or height and width.",
    ),
    option(
        "--crop",
        type=side,
        metavar="N",
        section=PREPROCESSING,
        help="The square in the middle, its side in pixels.",
    ),
    option(
        "--scale",
        type=scale,
        metavar="X",
        section=PREPROCESSING,
        help="Each pixel of 0..255 is multiplied by it first: 1/255.",
    ),
    option(
        "--mean",
        type=numbers,
        metavar="A,B,C",
        section=PREPROCESSING,
        help="Then subtracted: one number, or one a channel.",
    ),
    option(
        "--std",
        type=numbers,
        metavar="A,B,C",
        section=PREPROCESSING,
        help="Then divided by.",
    ),
    option(
        "--color",
        type=click.Choice(["rgb", "bgr", "gray"]),
        section=PREPROCESSING,
        help="The channels' order that the model was trained with.",
    ),
    option(
        "--interpolation",
        type=click.Choice(["bilinear", "bicubic", "nearest"]),
        section=PREPROCESSING,
        help="How pictures are resized.",
    ),
)

_CALLS: tuple[Callable[[Any], Any], ...] = (
    option(
        "--threads",
        type=click.IntRange(1),
        section=TIMING,
        metavar="N",
        help="Threads within an operator; those that suit the target if not given, else 1.",
    ),
    option(
        "--batch",
        type=click.IntRange(1),
        default=1,
        section=TIMING,
        metavar="N",
        help="Samples a call, where the batch is dynamic; 1 if not given.",
    ),
    option(
        "--seed",
        type=int,
        default=0,
        section=TIMING,
        metavar="N",
        help="Of random inputs and of the order of turns.",
    ),
)

_SPENT: tuple[Callable[[Any], Any], ...] = (
    option(
        "--duration",
        type=click.FloatRange(0, min_open=True),
        default=1.0,
        section=TIMING,
        metavar="S",
        help="Seconds of timed calls, for each artifact in each process; 1 if not given.",
    ),
    option(
        "--processes",
        type=click.IntRange(1),
        default=5,
        section=TIMING,
        metavar="N",
        help="Fresh processes; more narrow the intervals. 5 if not given.",
    ),
)
