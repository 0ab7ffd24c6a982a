"""The routes of merchants and of their devices, by what they are about."""

from services.merchants.views import account, deliveries, endpoints, orders
from services.merchants.views.blueprint import merchants_blueprint

__all__ = ["account", "deliveries", "endpoints", "merchants_blueprint", "orders"]
