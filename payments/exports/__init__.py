"""Files for finance clerks: day book, trial balance, journal, and the proof that they are whole.

It leans on the ledger. A file appears under its name only when it is complete and on the disk, and
the manifest, written last, holds the rows, totals and SHA-256 of each. Exporting a closed day again
gives the same bytes.
"""
