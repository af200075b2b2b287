"""What past comparisons add up to: each was within its budget, all of them together may not be."""
