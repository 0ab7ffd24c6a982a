"""What can be done to orders, attempts and cases inside somebody's transaction."""

from payments.orders.operations.placing import OrderDiffers, OrderInvalid, place

__all__ = ["OrderDiffers", "OrderInvalid", "place"]
