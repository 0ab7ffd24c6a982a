"""Double entry: books, accounts, journals and postings; every fen is somewhere, and stays put.

It leans on the kernel and on events. A posting moves an amount from a source account (credited) to
a destination account (debited), so no journal can be unbalanced; journals are never changed, and
corrections are new ones.
"""
