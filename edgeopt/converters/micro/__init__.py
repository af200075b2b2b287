"""Firmware: what TFLite Micro needs besides the ``.tflite``, which no file system holds there."""
