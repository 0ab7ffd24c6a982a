"""The control API and the cashier page: what a buyer, an operator and a gremlin can do."""

from dataclasses import asdict
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from simulator.clock import wire_time
from simulator.providers.alipay.faults import Fault, FaultName
from simulator.providers.alipay.money import yuan
from simulator.providers.alipay.trades import Status, Trade
from simulator.providers.alipay.world import DEFAULT_BUYER, Alipay


def blueprint(alipay: Alipay) -> Blueprint:
    """Return the routes under /control/alipay and the page under /alipay/cashier."""
    control = Blueprint("alipay_control", __name__)
    add_people(control, alipay)
    add_trades(control, alipay)
    add_notices(control, alipay)
    add_faults(control, alipay)
    add_cashier(control, alipay)
    return control


def add_people(control: Blueprint, alipay: Alipay) -> None:
    """Hand out authorisation codes, as a person's app does when a mini program asks who it is."""

    @control.post("/control/alipay/codes")
    def authorise() -> tuple[Response, int]:
        given = request.get_json(silent=True) or {}
        app_id = given.get("app_id") or next(iter(alipay.apps))
        if app_id not in alipay.apps:
            abort(404, f"no app {app_id}")
        buyer_id = given.get("buyer_id", DEFAULT_BUYER)
        code = alipay.people.authorise(app_id=app_id, buyer_id=buyer_id)
        return jsonify({"auth_code": code, "app_id": app_id, "buyer_id": buyer_id}), 201


def add_trades(control: Blueprint, alipay: Alipay) -> None:
    """List, pay and close trades; read the provider's ledger."""

    @control.get("/control/alipay/trades")
    def trades() -> Response:
        alipay.expire()
        with alipay.trades.locked():
            return jsonify([shown(trade) for trade in alipay.trades.all()])

    @control.post("/control/alipay/trades/<number>/pay")
    def pay(number: str) -> Response:
        given = request.get_json(silent=True) or {}
        trade = wanted(alipay, number)
        try:
            alipay.pay(
                trade,
                buyer_id=given.get("buyer_id", DEFAULT_BUYER),
                in_flight=given.get("in_flight") is True,
            )
        except ValueError as refusal:
            abort(409, str(refusal))
        return jsonify(shown(trade))

    @control.post("/control/alipay/trades/<number>/close")
    def close(number: str) -> Response:
        trade = wanted(alipay, number)
        alipay.close(trade)
        return jsonify(shown(trade))

    @control.get("/control/alipay/ledger")
    def ledger() -> Response:
        with alipay.trades.locked():
            entries = [plain(asdict(entry)) for entry in alipay.trades.ledger]
            balance = sum(entry.amount_minor for entry in alipay.trades.ledger)
        return jsonify({"entries": entries, "balance_minor": balance})


def add_notices(control: Blueprint, alipay: Alipay) -> None:
    """Show what was delivered and what waits; send what is due without waiting."""

    @control.get("/control/alipay/deliveries")
    def deliveries() -> Response:
        return jsonify([plain(asdict(delivery)) for delivery in alipay.courier.deliveries])

    @control.get("/control/alipay/waiting")
    def waiting() -> Response:
        return jsonify(
            [
                {
                    "due": parcel.due.isoformat(),
                    "about": parcel.about,
                    "notify_id": parcel.notify_id,
                    "sends": parcel.sends,
                }
                for parcel in alipay.courier.waiting()
            ]
        )

    @control.post("/control/alipay/deliver")
    def deliver() -> Response:
        return jsonify({"sent": alipay.courier.deliver_due()})

    @control.post("/control/alipay/trades/<number>/notify")
    def notify(number: str) -> Response:
        trade = wanted(alipay, number)
        with alipay.trades.locked():
            alipay.notices.tell(alipay.apps[trade.app_id], trade)
        return jsonify(shown(trade))


def add_faults(control: Blueprint, alipay: Alipay) -> None:
    """Ask for faults, list those still to happen, forget them."""

    @control.post("/control/alipay/faults")
    def ask() -> tuple[Response, int]:
        given = request.get_json()
        try:
            fault = Fault(
                name=FaultName(given["fault"]),
                out_trade_no=given.get("out_trade_no", ""),
                method=given.get("method", ""),
                times=int(given.get("times", 1)),
                delay=timedelta(seconds=int(given.get("delay_seconds", 300))),
            )
        except (KeyError, ValueError, TypeError):
            known = ", ".join(FaultName)
            abort(400, f"give fault (one of {known}), times, out_trade_no, method, delay_seconds")
        alipay.faults.ask(fault)
        return jsonify({"fault": fault.name, "times": fault.times}), 201

    @control.get("/control/alipay/faults")
    def faults() -> Response:
        return jsonify([fault.name for fault in alipay.faults.waiting()])

    @control.delete("/control/alipay/faults")
    def forget() -> tuple[str, int]:
        alipay.faults.clear()
        return "", 204


def add_cashier(control: Blueprint, alipay: Alipay) -> None:
    """Show a trade to a person, who pays with a click."""

    @control.get("/alipay/cashier/<trade_no>")
    def cashier(trade_no: str) -> str:
        alipay.expire()
        trade = scanned(alipay, trade_no)
        return render_template("cashier.html", trade=trade, total=yuan(trade.total_minor))

    @control.post("/alipay/cashier/<trade_no>")
    def click(trade_no: str) -> AnyResponse:
        trade = scanned(alipay, trade_no)
        if trade.status is Status.WAIT_BUYER_PAY:
            alipay.pay(trade)
        return redirect(f"/alipay/cashier/{trade_no}", code=303)


def wanted(alipay: Alipay, number: str) -> Trade:
    """Return a trade by out_trade_no or trade_no, of whichever app, or answer 404."""
    with alipay.trades.locked():
        found = [
            trade
            for app_id in alipay.apps
            for trade in (
                alipay.trades.find(app_id, out_trade_no=number),
                alipay.trades.find(app_id, trade_no=number),
            )
            if trade is not None
        ]
    return found[0] if found else abort(404, f"no trade {number}")


def scanned(alipay: Alipay, trade_no: str) -> Trade:
    """Return a trade whose code somebody opened, or answer 404."""
    with alipay.trades.locked():
        trade = alipay.trades.by_trade_no(trade_no)
        if trade is None:
            abort(404, f"no trade {trade_no}")
        trade.scanned = True
        return trade


def shown(trade: Trade) -> dict[str, object]:
    """Return a trade as the control API shows it."""
    return {
        "app_id": trade.app_id,
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "status": trade.status,
        "total_minor": trade.total_minor,
        "refunded_minor": trade.refunded_minor,
        "subject": trade.subject,
        "buyer_id": trade.buyer_id,
        "notify_url": trade.notify_url,
        "created_at": wire_time(trade.created_at),
        "expires_at": wire_time(trade.expires_at),
        "paid_at": wire_time(trade.paid_at) if trade.paid_at else None,
        "refunds": [
            {"out_request_no": refund.out_request_no, "amount_minor": refund.amount_minor}
            for refund in trade.refunds.values()
        ],
    }


def plain(values: dict[str, object]) -> dict[str, object]:
    """Return values with moments as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
