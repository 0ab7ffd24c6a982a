"""Starting an attempt to pay, and looking at an order that is being paid."""

from functools import partial

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.orders import operations, queries
from payments.orders.flows.asking import ask, close, guarded
from payments.orders.models import Attempt, Order
from payments.orders.operations import OrderNotPayable
from payments.orders.rules import LIVE, AttemptState, OrderState
from payments.providers.interface import (
    Outcome,
    PaymentInstruction,
    Provider,
    Scene,
    SceneNotSupported,
    Started,
)
from payments.providers.registry import Providers


def start_payment(
    database: Database,
    *,
    order_id: str,
    citizen_id: str,
    provider_name: str,
    scene: Scene,
    payer: str | None,
    request_key: str,
    providers: Providers,
    clock: Clock,
    notify_base_url: str,
) -> Attempt:
    """Start an attempt to pay and return it; its `client` goes to the provider's SDK.

    The same `request_key` is the same attempt, under the same provider order number: one whose
    answer was lost is asked about and then started again. Raises OrderNotFound, OrderNotPayable,
    TooManyAttempts and SceneNotSupported.
    """
    provider = providers.choose(scene=scene, provider_name=provider_name)
    with database.transaction() as session:
        order, attempt, begun = operations.begin_attempt(
            session,
            order_id=order_id,
            citizen_id=citizen_id,
            provider=provider,
            scene=scene,
            request_key=request_key,
            now=clock.now(),
        )
    if not begun:
        provider = providers.get(attempt.account_id)
        attempt = _taken_up(database, order=order, attempt=attempt, provider=provider, clock=clock)
        if not _unanswered(attempt):
            return attempt
    return _start(
        database,
        attempt=attempt,
        instruction=_instruction(
            order, attempt, scene=scene, payer=payer, notify_base_url=notify_base_url
        ),
        provider=provider,
        repeated=not begun,
        clock=clock,
    )


def look(
    database: Database, *, order_id: str, citizen_id: str, providers: Providers, clock: Clock
) -> Order:
    """Return a citizen's order; ask the provider first if it is pending and nobody asked lately.

    Raises OrderNotFound.
    """
    with database.transaction() as session:
        order = queries.order(session, order_id=order_id, citizen_id=citizen_id)
        if order.state != OrderState.OPEN:
            return order
        claimed = operations.claim_attempts_of_order(session, order=order, now=clock.now())
    for attempt in claimed:
        guarded(
            partial(_ask, database, attempt=attempt, providers=providers, clock=clock),
            what=attempt.id,
        )
    with database.transaction() as session:
        return queries.order(session, order_id=order_id, citizen_id=citizen_id)


def _taken_up(
    database: Database, *, order: Order, attempt: Attempt, provider: Provider, clock: Clock
) -> Attempt:
    """Return what became of an attempt that was begun before. Raises OrderNotPayable."""
    if _unanswered(attempt):
        attempt = ask(database, attempt=attempt, provider=provider, clock=clock)
    needs_order = _unanswered(attempt) or attempt.state == AttemptState.CANCELLED
    if needs_order and not operations.payable(order, now=clock.now()):
        raise OrderNotPayable
    return attempt


def _unanswered(attempt: Attempt) -> bool:
    """Tell whether the attempt may still be paid, and nobody knows with what."""
    return not attempt.client and AttemptState(attempt.state) in LIVE


def _start(
    database: Database,
    *,
    attempt: Attempt,
    instruction: PaymentInstruction,
    provider: Provider,
    repeated: bool,
    clock: Clock,
) -> Attempt:
    """Ask the provider to take the payment, and record its answer."""
    refusal = None
    try:
        started = provider.start(instruction, now=clock.now())
    except SceneNotSupported as error:
        started, refusal = Started(outcome=Outcome.FAILED, reason=error.detail), error
    with database.transaction() as session:
        order, attempt = operations.record_start(
            session, attempt=attempt, started=started, repeated=repeated, now=clock.now()
        )
    if refusal is not None:
        raise refusal
    if attempt.state == AttemptState.CANCELLED:  # Given up meanwhile, and begun at the provider.
        close(database, attempt=attempt, provider=provider, clock=clock)
        raise OrderNotPayable
    if started.outcome is Outcome.SUCCEEDED:
        return ask(database, attempt=attempt, provider=provider, clock=clock)
    if order.state == OrderState.CLOSED or order.closing_since is not None:
        raise OrderNotPayable
    return attempt


def _ask(database: Database, *, attempt: Attempt, providers: Providers, clock: Clock) -> None:
    ask(database, attempt=attempt, provider=providers.get(attempt.account_id), clock=clock)


def _instruction(
    order: Order, attempt: Attempt, *, scene: Scene, payer: str | None, notify_base_url: str
) -> PaymentInstruction:
    return PaymentInstruction(
        number=attempt.number,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        subject=order.subject,
        scene=scene,
        notify_url=f"{notify_base_url}/callbacks/{attempt.provider}/{attempt.account_id}",
        expires_at=order.expires_at,
        payer=payer,
    )
