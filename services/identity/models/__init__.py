"""The tables of identity, all in the PostgreSQL schema `identity`."""
