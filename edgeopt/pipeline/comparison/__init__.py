"""What joins ``edgeopt compare``: what is asked, of which two, where they run, and the verdict.

::

    fit       two artifacts that take the same, and the data for both
    pair      both with their inputs, ready to be run
    bench     where they run: this machine
    judging   from what was measured to a comparison
"""
