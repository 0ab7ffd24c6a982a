"""A city full of people: citizens, kiosks and a merchant, who use the public API as clients do.

It leans on libraries only and knows the platform by its addresses and its command line.
"""
