"""The page of a diagnosis."""

from __future__ import annotations

from pathlib import Path

from edgeopt.pipeline.diagnosis.records import DiagnosisResult
from edgeopt.pipeline.diagnosis.rules import NOTHING_TO_DO
from edgeopt.reports.file import write_page
from edgeopt.reports.plots import histogram, noise_plot, sqnr_plot, time_plot
from edgeopt.reports.template import render


def write_diagnosis_page(result: DiagnosisResult, path: str | Path, *, force: bool = False) -> None:
    """Write a diagnosis as one HTML file that loads nothing from anywhere.

    Args:
        result: The diagnosis.
        path: Where the page goes.
        force: Replace a file that isn't a page of ours.

    Raises:
        OutputError: If it can't be written, or would replace something else.
    """
    write_page(path, diagnosis_page(result), force=force)


def diagnosis_page(result: DiagnosisResult) -> str:
    """The page as HTML."""
    fine = result.suggestion.rule == NOTHING_TO_DO
    by_name = {layer.tensor: layer for layer in result.layers}
    drawn = [histogram(found) for found in result.distributions]
    return render(
        "diagnosis.html",
        {
            "title": f"Diagnosis of {Path(result.artifact).name}",
            "result": result,
            "by_name": by_name,
            "sqnr": sqnr_plot(result),
            "noise": noise_plot(result.layers),
            "histograms": drawn,
            "times": time_plot(result.timing.ops),
            "outliers": sorted(
                (x for x in result.layers if x.range and x.channels and x.channels.outliers),
                key=lambda x: -x.channels.ratio if x.channels else 0.0,
            ),
            "more": next(iter(result.further), None) if fine else None,
            "agreement": any(o.exact.agreement is not None for o in result.outputs),
        },
    )
