"""Scaling channels apart where that is exact."""
