"""Every fact that is published becomes one event and a delivery per endpoint that wants it."""

import hashlib
import json
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.events.facts import Fact, FactUnreadable, declared
from payments.events.listeners import HandlersByFact, NamedHandler
from payments.kernel.ids import new_book_id, new_id
from payments.merchants import queries as merchants
from payments.merchants.rules import matches
from payments.webhooks.models import Delivery, Event
from payments.webhooks.rules import CHANNEL, DELIVERY


def publish(session: Session, fact: Fact, *, now: datetime) -> None:
    """Queue a fact for the endpoints of its book whose filter lets it through.

    May run again for one fact: an event is found by the fact's content, a delivery by event and
    endpoint. Facts of one subject come in order, so counting them gives the sequence; two workers
    that count at once collide on it, and the loser is run again.
    """
    if not fact.published:
        return
    listening = [
        endpoint
        for endpoint in merchants.listening_endpoints(session, book_id=fact.book_id)
        if matches(endpoint.events, fact.name)
    ]
    if not listening:
        return
    event_id = _event_id(session, fact)
    session.execute(
        insert(Delivery)
        .values(
            [
                {
                    "delivery_id": new_id("dlv"),
                    "book_id": fact.book_id,
                    "endpoint_id": endpoint.endpoint_id,
                    "event_id": event_id,
                    "state": DELIVERY.initial,
                    "failures": 0,
                    "attempts": 0,
                    "due_at": now,
                    "created_at": now,
                }
                for endpoint in listening
            ]
        )
        .on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
    )
    session.execute(select(func.pg_notify(CHANNEL, "")))


def for_published_facts() -> HandlersByFact:
    """Return the handlers of every published fact declared so far; ask once all are imported."""
    publisher = (NamedHandler(name="webhooks.publish", run=publish),)
    return {name: publisher for name, fact in declared().items() if fact.published}


def published_fields(fact: Fact) -> dict[str, object]:
    """Return what merchants are told of a fact. Raises FactUnreadable for a name it lacks."""
    fields = fact.to_fields()
    missing = [name for name in fact.published if name not in fields]
    if missing:
        raise FactUnreadable(f"{fact.name} publishes {missing[0]}, which it does not have")
    return {name: fields[name] for name in fact.published}


def _event_id(session: Session, fact: Fact) -> str:
    fields = json.dumps(fact.to_fields(), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{fact.name}\n{fact.version}\n{fields}".encode()).digest()
    latest = (
        select(func.coalesce(func.max(Event.sequence), 0) + 1)
        .where(Event.book_id == fact.book_id, Event.subject == fact.subject)
        .scalar_subquery()
    )
    made = session.scalar(
        insert(Event)
        .values(
            event_id=new_book_id("evt", fact.book_id),
            book_id=fact.book_id,
            fact_digest=digest,
            type=fact.name,
            version=fact.version,
            subject=fact.subject,
            sequence=latest,
            data=published_fields(fact),
            created_at=fact.occurred_at,
        )
        .on_conflict_do_nothing(index_elements=["book_id", "fact_digest"])
        .returning(Event.event_id)
    )
    return (
        made
        or session.scalars(
            select(Event.event_id).where(Event.book_id == fact.book_id, Event.fact_digest == digest)
        ).one()
    )
