"""Facts out to merchants: signed, retried for three days, replayable.

One delivery per endpoint and fact. It leans on the merchants' endpoints and on facts, and knows no
domain that says them.
"""
