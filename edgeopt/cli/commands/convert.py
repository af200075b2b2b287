"""``edgeopt convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, model_options, preprocessing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.values import comma_list, completed
from edgeopt.converters.registry import formats
from edgeopt.core.effort import Effort
from edgeopt.core.errors import OutputError, VerificationError
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.precision import Precision
from edgeopt.core.via import Via

if TYPE_CHECKING:
    from edgeopt.pipeline.convert import ConvertResult

DATA = "A .npz with an array for each input, a folder of images, or module:function."
CHECKS = "Verification and files"
MIXED = "Mixed precision"
ENGINES = "Building TensorRT engines"

EXAMPLES = (
    "edgeopt convert model.pt2",
    "edgeopt convert model.pt2 --precision fp32,fp16,int8 --calibration calibration.npz",
    "edgeopt convert model.onnx --precision int8 --calibration images/ --evaluation test/ \\\n"
    "    --resize 256 --crop 224 --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
    "edgeopt convert net.py:make --weights net.safetensors --input image:float32[batch,3,224,224]",
    "edgeopt convert model.keras --to onnx,tflite --precision fp32,int8 --calibration c.npz",
    "edgeopt convert model.onnx --precision int8 --calibration c.npz --target arm64 --json",
    "edgeopt convert model.onnx --precision int8 --table out/model.table.npz --effort fast",
    "edgeopt convert model.pt2 --to onnx,tflite --precision fp32,int8 --calibration c.npz \\\n"
    "    --layout nhwc",
    "edgeopt convert model.onnx --to tensorrt --precision fp16,int8 --calibration c.npz \\\n"
    "    --target rtx-4090 --input 'image:float32[1..8,3,224,224]'",
    "edgeopt convert model.onnx --precision auto --max-drop 0.5pp --calibration c.npz \\\n"
    "    --evaluation test.npz",
    "edgeopt convert model.onnx --precision int8-dynamic,int4-weight --keep-float 'head,*/attn/*'",
)


@command("convert", examples=EXAMPLES)
@click.argument("model", type=click.Path())
@option(
    "--to",
    multiple=True,
    callback=comma_list,
    metavar="FORMATS",
    shell_complete=completed(formats()),
    help=f"What to make: {', '.join(formats())}; onnx if not given, or what the target runs.",
)
@option(
    "--precision",
    multiple=True,
    default=[Precision.FP32.value],
    callback=comma_list,
    metavar="PRECISIONS",
    shell_complete=completed(Precision),
    help=f"One or several of {', '.join(Precision)}; fp32 if not given.",
)
@option(
    "--calibration",
    type=click.Path(),
    metavar="DATA",
    help=f"What int8, int16x8 and auto need. {DATA}",
)
@option(
    "--table",
    type=click.Path(),
    metavar="FILE",
    help="A calibration table from `edgeopt calibrate`, instead of observing the data again.",
)
@option(
    "--layout",
    metavar="ORDER",
    shell_complete=completed(Layout),
    help="The order of a TFLite artifact's image inputs: nchw or nhwc; the model's own if not "
    "given. ONNX artifacts always keep the model's; so does the data.",
)
@option(
    "--io",
    metavar="TYPE",
    shell_complete=completed(Ends),
    help="What an int8 TFLite artifact takes and gives: float or int8; float if not given.",
)
@option(
    "--via",
    metavar="CONVERTER",
    shell_complete=completed(Via),
    help="An official converter that makes TFLite artifacts instead of EdgeOpt's own compiler, and "
    "calibrates them by itself: tensorflow for Keras and TensorFlow models, litert-torch for "
    "PyTorch's.",
)
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="What artifacts are verified on, in the same forms. Without it: the last tenth of the "
    "calibration data, else random inputs.",
)
@option(
    "-o",
    "--output",
    type=click.Path(),
    default="out",
    metavar="FOLDER",
    help="Where artifacts go: out/ if not given.",
)
@option(
    "--target",
    metavar="NAME|FILE.toml",
    help="The device they are for; x86-64-vnni if not given. Also: x86-64, arm64, "
    "rtx-4090, jetson-orin-nano and others; `--to tensorrt` needs one with a GPU.",
)
@option(
    "--effort",
    metavar="EFFORT",
    shell_complete=completed(Effort),
    help="What is done for int8's accuracy: fast (ranges only), default (corrections too), high "
    "(rounding of weights too; takes several times as long).",
)
@option(
    "--ranges",
    default="auto",
    metavar="METHOD",
    help="How int8 chooses activation ranges: min-max, percentile, entropy, l2, l2.4; auto (l2.4 "
    "for convolutional nets, else min-max) if not given.",
)
@option(
    "--keep-float",
    multiple=True,
    default=[],
    callback=comma_list,
    section=MIXED,
    metavar="LAYERS",
    help="Layers that integer precisions leave float, by the names that `edgeopt inspect` shows "
    "for the fp32 artifact; * and ? match several.",
)
@option(
    "--keep-16bit",
    "keep_16bit",
    multiple=True,
    default=[],
    callback=comma_list,
    section=MIXED,
    metavar="LAYERS",
    help="Layers of an int8 artifact whose activations have 16 bits.",
)
@model_options
@preprocessing_options
@option(
    "--build-memory",
    section=ENGINES,
    metavar="SIZE",
    help="What building an engine may take of memory, and the engine of scratch memory: 2GB.",
)
@option(
    "--build-timeout",
    type=float,
    default=900.0,
    section=ENGINES,
    metavar="S",
    help="How long building one engine may take: 900 s if not given.",
)
@option(
    "--timing-cache",
    type=click.Path(),
    section=ENGINES,
    metavar="FILE",
    help="Timings that building an engine reads and adds to, so that the next one is quicker.",
)
@option(
    "--max-drop",
    section=MIXED,
    metavar="X",
    help="A budget for --precision auto: how far accuracy may fall, in percentage points: 0.5pp.",
)
@option(
    "--min-agreement",
    section=MIXED,
    metavar="X",
    help="Another: the least agreement with float, such as 99%; --min-sqnr is one too.",
)
@option(
    "--accuracy",
    default="top1",
    section=MIXED,
    metavar="NAME",
    help="What --max-drop is of: top1 if not given, any topK, or module:function, called as "
    "function(outputs, labels).",
)
@option(
    "--search-time",
    type=float,
    default=300.0,
    section=MIXED,
    metavar="S",
    help="How long --precision auto may search: 300 s if not given. Until an artifact meets "
    "the budget it goes on.",
)
@option(
    "--replay",
    type=click.Path(),
    section=MIXED,
    metavar="FILE",
    help="A .search.json whose layers, gains and latencies --precision auto takes as they are.",
)
@option(
    "--min-sqnr",
    type=float,
    section=CHECKS,
    metavar="DB",
    help="The least SQNR against the float source; 80 (fp32), 40 (fp16), 10 (int8) if not given.",
)
@option(
    "--no-verify",
    "verify",
    is_flag=True,
    flag_value=False,
    default=True,
    section=CHECKS,
    help="Don't compare with the float source.",
)
@option(
    "--force", is_flag=True, section=CHECKS, help="Replace files that EdgeOpt did not make, too."
)
@common_options
def convert(terminal: Terminal, model: str, **options: Any) -> None:
    """Convert a trained model into small, verified artifacts.

    MODEL is a .pt2, .onnx, .keras, .h5 or TorchScript file, a SavedModel's folder, or
    package.module:factory or file.py:factory for a function that makes the model. Each artifact
    gets a manifest beside it, which tells how it was made and how far it is from its float source.
    """
    contract = take_contract(options)
    if options["target"] is None:
        del options["target"]
    options["to"] = options["to"] or None
    with terminal.progress("reading the model") as progress:
        from edgeopt.pipeline.convert import convert as run

        try:
            result, failure = run(model, preprocess=contract, progress=progress, **options), None
        except VerificationError as error:
            if terminal.json:  # the one document is the error's
                raise
            result, failure = cast("ConvertResult", error.result), error
    unplotted = _plot(result, force=options["force"])
    from edgeopt.cli.views.conversion import draw_conversion

    terminal.show(result, draw_conversion)
    told = (w for a in result.artifacts for w in a.manifest.warnings)
    terminal.warn(*result.warnings, *told, *unplotted)
    if failure is not None:
        raise failure


def _plot(result: ConvertResult, *, force: bool) -> list[str]:
    """Draw the trade-off of each search beside its artifact; gives what couldn't be drawn."""
    unplotted = []
    for artifact in result.artifacts:
        if artifact.search is not None:
            from edgeopt.pipeline.search.record import page_path
            from edgeopt.reports.search import write_search_page

            try:
                path = page_path(Path(artifact.path))
                write_search_page(artifact.search, path, force=force)
            except OutputError as error:
                # The artifact is whole without it.
                unplotted.append(f"the search is not plotted: {error}")
    return unplotted
