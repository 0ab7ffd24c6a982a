"""The merchants' own face: signed requests from them and their devices, endpoints and deliveries.

It leans on `payments.merchants` and `payments.webhooks`, and on the host.
"""
