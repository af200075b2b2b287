"""Activation ranges, observed once on the float graph and encoded by each target's rules.

The way of a range: ``points`` says which tensors need one, ``observer`` runs the float graph and
folds them into a ``table``, ``ranges`` chooses from the table, ``encodings`` turns a choice into
scale and zero point.
"""
