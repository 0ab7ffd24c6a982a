"""Where citizens pay: their orders across all services, payments, refunds and receipts.

It leans on `payments.orders` and `payments.refunds`, and on the host; services place the orders.
"""
