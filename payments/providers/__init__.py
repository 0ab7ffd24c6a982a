"""The signed-payment adapter: one interface, one registry, a folder of four files per provider.

It leans on the kernel only; it neither knows orders nor the ledger.
"""
