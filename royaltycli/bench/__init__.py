"""Benchmarks that anyone can run again: `royalty bench attribution` measures how well usage is attributed."""
