"""Where the routes hang."""

from flask_smorest import Blueprint

merchants_blueprint = Blueprint(
    "merchants",
    __name__,
    url_prefix="/v1/merchants",
    description="Merchants' servers: keys, callback endpoints, deliveries",
)
