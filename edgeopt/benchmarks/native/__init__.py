"""Measuring by a native program that the user names, where a device has no Python.

A shell script runs it on the device and notes what it says; everything is read here.
"""
