"""Unified payment orders and the attempts to pay them; cases for reports that do not fit.

An order is what is owed; each attempt to pay it at a provider is its own row. It leans on
providers, the ledger, events and the kernel.
"""
