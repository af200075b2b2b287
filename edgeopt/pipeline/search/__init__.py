"""``--precision auto``: the fewest layers kept float that meet a budget of accuracy.

The way of a search: a ``budget`` says what must hold, a ``judge`` finds an artifact's quality,
``search`` asks each layer what keeping it float would bring and cost, ``selection`` takes as few as
the budget needs, and the ``record`` of it all is kept beside the artifact.
"""
