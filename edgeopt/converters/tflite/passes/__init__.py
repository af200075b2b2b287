"""Passes over a lowered model: each edits it in place and says what it ensures."""
