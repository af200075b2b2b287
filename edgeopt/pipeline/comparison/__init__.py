"""What joins ``edgeopt compare``: what is asked, of which two, where they run, and the verdict.

::

    place      which machine: this one, or a device
    fit        two artifacts that take the same, and the data for both
    pair       both with their inputs
    ready      the two on their bench:
      bench      this machine
      packing    what goes to a device
      device     the device
      plausible  what isn't believed of it
    judging    from what was measured to a comparison
"""
