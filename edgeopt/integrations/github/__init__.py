"""The steps of the GitHub Action, ``action.yml``.

Each is ``python -m edgeopt.integrations.github STEP``: what is more than a line of shell is here,
where it can be tested. ``inputs`` and ``event`` are what the runner says, ``commands`` the command
lines that follow, ``running`` runs them against the clock, ``channel`` is how the runner hears of
it, and ``steps`` says which function each step is.
"""
