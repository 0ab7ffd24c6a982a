"""The inbox of provider callbacks: stored first, verified, acknowledged, applied once by a worker.

It leans on refunds and orders, which act on what a notice reports, and on providers, which verify.
"""
