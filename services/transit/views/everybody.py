"""What anybody may ask: stations and fares."""

from typing import Any

from flask_smorest import Blueprint

from payments.kernel.clock import business_date
from services.host.access import public
from services.host.platform import current_platform
from services.transit.reference.versions import reference
from services.transit.schemas import FareSchema, JourneySchema, NetworkSchema

blueprint = Blueprint(
    "transit", __name__, url_prefix="/v1/transit", description="Stations, fares and tickets"
)


@blueprint.route("/stations", methods=["GET"])
@public(reason="Where the metro stops is written on the wall of every station.")
@blueprint.response(200, NetworkSchema)
def stations() -> dict[str, Any]:
    """List lines and stations.

    The network in force today.
    """
    network = reference().network(on=business_date(current_platform().clock.now()))
    return {
        "version": network.version,
        "lines": list(network.lines.values()),
        "stations": [
            {
                "station_id": station.station_id,
                "name_zh": station.name_zh,
                "name_en": station.name_en,
                "lines": network.lines_at(station.station_id),
                "latitude": station.latitude,
                "longitude": station.longitude,
            }
            for station in network.stations.values()
        ],
    }


@blueprint.route("/fares", methods=["GET"])
@public(reason="Fares are published; the phone shows them before anybody signs in.")
@blueprint.arguments(JourneySchema, location="query")
@blueprint.response(200, FareSchema)
def fares(journey: dict[str, str]) -> dict[str, Any]:
    """Quote the fare between two stations.

    With the reasons, step by step, as figures and as sentences.
    """
    on = business_date(current_platform().clock.now())
    fare = reference().fare(journey["from_station"], journey["to_station"], on=on)
    return {
        **journey,
        "fare_minor": fare.amount_minor,
        "currency": fare.currency,
        "distance_m": fare.distance_m,
        "explanation": fare.explanation.as_json(),
    }
