"""Start a bundle: the ``__main__`` of its program. Any Python can read this file, to say it is old.

It stays free of what Python 2 doesn't know.
"""

import sys

UNABLE = 3
DESCRIBE = "describe"
"""The first argument, where nothing is measured: what is this device?"""
CONVERSE = "converse"
"""The first argument, where whoever started it goes on to say what is measured."""


if __name__ == "__main__":
    if sys.version_info < (3, 8):
        told = "Error: this is Python %d.%d, and 3.8 or newer is needed\n"
        sys.stderr.write(told % sys.version_info[:2])
        sys.exit(UNABLE)
    if sys.argv[1:2] == [DESCRIBE]:
        from edgeopt_device.describe import main as describe  # type: ignore[import-not-found]

        sys.exit(describe(sys.argv[0]))
    try:
        import numpy  # noqa: F401 - to see whether it is there
    except ImportError as error:
        told = "Error: numpy can't be imported (%s): %s -m pip install numpy\n"
        sys.stderr.write(told % (" ".join(str(error).split()), sys.executable))
        sys.exit(UNABLE)
    if sys.argv[1:2] == [CONVERSE]:
        from edgeopt_device.conversation import main  # type: ignore[import-not-found]

        sys.exit(main(sys.argv[0], sys.argv[2:]))
    from edgeopt_device.bundle import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[0], sys.argv[1:]))
