"""Refunds, one row each, sent under one number until the provider has said what became of them.

It leans on orders, which hold the reservation, and on providers, the ledger, events and the kernel.
"""
