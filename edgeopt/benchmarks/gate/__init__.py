"""The latency-regression gate: a candidate beside its baseline, and a verdict whose error holds."""
