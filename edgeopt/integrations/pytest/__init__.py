"""pytest's ``edgeopt_benchmark``: what a test says of an artifact's speed holds on a busy machine.

``plugin`` is what pytest imports in every run, of whoever has EdgeOpt installed: it imports nothing
else. ``fixture`` does the work, ``baselines`` says which one belongs to an artifact, and ``tables``
shows what came of it.
"""
