"""What builds an engine: a program of its own that imports nothing of EdgeOpt.

It runs here in a fresh process for each engine, because a build that failed leaves TensorRT so that
the next one in the process silently gives float layers; and it runs on a device, from a kit. So it
needs Python 3.8 and TensorRT's module, or ``trtexec``, and nothing else.
"""
