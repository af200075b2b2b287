"""``--precision auto``: the fewest layers spared 8 bits that meet a budget of accuracy.

The way of a search: a ``budget`` says what must hold, a ``judge`` finds an artifact's quality,
``search`` asks each layer what more bits would bring and cost, ``selection`` takes as few as
the budget needs, and the ``record`` of it all is kept beside the artifact.
"""
