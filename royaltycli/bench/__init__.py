"""Benchmarks that anyone can run anew: what attribution finds on a corpus of real, confusable sources."""
