"""Where payment providers call us: one address an account, answered in the provider's words.

It leans on `payments.notices` and on the host.
"""
