"""Benchmarks that anyone can run again: `royalty bench attribution` measures how well usage is attributed.

`run` goes through the parts: `text`, `network`, `leftout`, `attacks` and `costs`, each of which is given a `setting`.
`packages` and `corpus` make what is measured on, `method` is what is measured, `baselines` what it is compared with.
"""
