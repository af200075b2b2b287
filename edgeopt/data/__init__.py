"""Calibration and evaluation data: streamed, so that it may be larger than memory.

``open_dataset`` reads whatever form the user has it in; the model's input specs decide what fits.
"""

from edgeopt.data.dataset import Dataset, Entry, Sample, Stored, fill_batches, fixed_batch, stack
from edgeopt.data.open import check_exists, open_dataset, open_stored
from edgeopt.data.picking import picked

__all__ = [
    "Dataset",
    "Entry",
    "Sample",
    "Stored",
    "check_exists",
    "fill_batches",
    "fixed_batch",
    "open_dataset",
    "open_stored",
    "picked",
    "stack",
]
