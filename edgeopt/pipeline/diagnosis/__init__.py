"""Where an artifact loses accuracy and time against the float graph that it was made from.

The way of a diagnosis: ``reference`` makes the float graph again, ``samples`` chooses the data,
``points`` names the tensors to compare, ``sides`` runs both graphs, ``noise`` keeps sums, and what
is concluded from them has a file each. ``rules`` chooses the next step.
"""
