"""The program that runs where the model runs: Python 3.8, standard library, numpy and a runtime.

It imports nothing else of the package (an import contract holds that), so that the very code that
times a model on the host can be packed into a zipapp and sent to a device.
"""
