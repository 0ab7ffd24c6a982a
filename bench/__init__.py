"""Measurements: each bench pairs our figure with the limit, the same work done bare, in one run.

Machines are noisy, so figures are medians and aims are ratios wherever that says more. A bench is a
module here with a function `run(progress) -> Report`; it may lean on everything.
"""
