"""Measuring: latency, memory and accuracy of artifacts, always paired where there are several."""
