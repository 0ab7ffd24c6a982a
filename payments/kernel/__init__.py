"""Words everybody speaks: money, clock, ids, errors, database, idempotency, crypto, http, jobs.

It leans on libraries only.
"""
