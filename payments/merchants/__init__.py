"""Who gets paid: merchants, their books, devices, signing keys and callback endpoints.

It leans on the ledger (a merchant opens with a book) and on the kernel.
"""
