"""Facts: what became true, written down in the transaction that made it so, then told to handlers.

It leans on the kernel only. A domain declares its facts in its own `facts.py`; the drain tells each
fact to every handler once, in batches, and parks what keeps failing where people can see it.
"""
