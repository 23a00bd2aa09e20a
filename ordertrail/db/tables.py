"""Every table. `brand` stands in each; rows that hold personal data say so in their comment."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ordertrail.db.types import Json, Sequence64, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(40)
Brand = String(50)

brands = Table(
    "brands",
    metadata,
    Column("id", Brand, primary_key=True),
    Column("document", Text, nullable=False, comment="a domain Brand as JSON"),
    Column("updated_at", Utc, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("name", String(100), nullable=False),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("connection", String(100), nullable=False),
    Column("source_event_id", String(250), nullable=False),
    Column("kind", String(40), nullable=False, comment="order, order_event, tracking_event, receipt, signal"),
    Column("body_sha256", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="raw, as received; personal data"),
    Column("canonical", Text, comment="what it was understood as, JSON; personal data"),
    Column("received_at", Utc, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", String(100)),
    Column("detail", Text, comment="what exactly was not understood; personal data possible"),
    Column("priority", Integer, nullable=False, server_default="5"),
    Column("match_key", String(250), comment="what an unmatched row waits for"),
    Column("order_id", Id),
    Column("answer", Text, comment="the answer given, repeated to a repeated request"),
    Column("replays", Integer, nullable=False, server_default="0"),
    UniqueConstraint("brand", "connection", "source_event_id"),
    CheckConstraint("state in ('accepted','unmatched','dead','replayed','ignored')", name="state"),
    Index("ix_inbox_waiting", "state", "match_key"),
    Index("ix_inbox_order_id", "order_id"),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("inbox_id", Sequence64, nullable=False),
    Column("brand", Brand, nullable=False),
    Column("connection", String(100), nullable=False),
    Column("order_id", Id, nullable=False),
    Column("shipment_ref", String(60), nullable=False, server_default=""),
    Column("stored_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False, comment="when the sweep may hand it on (again)"),
    Column("forwarded_at", Utc),
    Column("attempts", Integer, nullable=False, server_default="0"),
    UniqueConstraint("inbox_id", "order_id", "shipment_ref"),
    Index("ix_handoffs_order_id", "order_id", "id"),
    Index("ix_handoffs_due", "forwarded_at", "due_at"),
    comment="accepted, not yet consumed by its order; a row is deleted by the advance that appends it to the timeline",
)

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("channel", String(50), nullable=False),
    Column("external_id", String(120), nullable=False),
    Column("person_id", Id, nullable=False),
    Column("recipient_id", Id, nullable=False),
    Column("canonical", Text, nullable=False, comment="the CanonicalOrder as JSON; personal data"),
    Column("placed_at", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("seq", Integer, nullable=False, server_default="0", comment="number of committed advances"),
    Column("status", String(30), nullable=False),
    Column("conditions", Json, nullable=False),
    Column("promise_ends_at", Utc),
    Column("queue", String(40)),
    Column("deadline", Utc),
    Column("open", Boolean, nullable=False, server_default=text("true")),
    Column("memory", Text, nullable=False, comment="what policy remembers: a domain Memory as JSON"),
    Column("document", Text, nullable=False, comment="the read model: an OrderDocument as JSON, no personal data"),
    UniqueConstraint("brand", "channel", "external_id"),
    Index("ix_orders_person", "brand", "person_id", "id"),
    Index("ix_orders_status", "brand", "status", "id"),
    Index("ix_orders_placed", "brand", "placed_at", "id"),
    Index("ix_orders_open", "open", "deadline"),
)

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("person_key", String(80), nullable=False, comment="hash of the shop's customer id, email or phone"),
    Column("customer_ref", String(200), comment="the shop's own customer id"),
    Column("document", Text, nullable=False, comment="the Person as last seen, JSON; personal data"),
    Column("updated_at", Utc, nullable=False),
    UniqueConstraint("brand", "person_key"),
    Index("ix_people_customer_ref", "brand", "customer_ref"),
)

contact_states = Table(
    "contact_states",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("channel", String(10), nullable=False),
    Column("address_key", String(64), nullable=False, comment="keyed hash of the address"),
    Column(
        "state", String(10), nullable=False, comment="closed or open; the newest row counts, older ones are history"
    ),
    Column("reason", String(100), nullable=False),
    Column("source", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_contact_states_address", "brand", "channel", "address_key", "id"),
)

trackers = Table(
    "trackers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("carrier", String(50), nullable=False),
    Column("tracking_number", String(50), nullable=False, comment="upper case, without spaces"),
    Column("match_key", String(250), nullable=False, comment="what unmatched inbox rows wait for"),
    Column("valid_from", Utc, nullable=False),
    Column("valid_to", Utc),
    UniqueConstraint("brand", "carrier", "tracking_number", "valid_from"),
    Index("ix_trackers_match_key", "match_key"),
)

tracker_shipments = Table(
    "tracker_shipments",
    metadata,
    Column("tracker_id", Id, ForeignKey("trackers.id"), primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True),
    Column("shipment_ref", String(60), primary_key=True),
    Column("brand", Brand, nullable=False),
)

shipments = Table(
    "shipments",
    metadata,
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True),
    Column("ref", String(60), primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("carrier", String(50)),
    Column("tracking_number", String(50)),
    Column("status", String(30), nullable=False),
    Column("conditions", Json, nullable=False),
    Column("promise_ends_at", Utc),
    Column("last_scan_at", Utc),
    Column("updated_at", Utc, nullable=False),
    Index("ix_shipments_carrier_status", "brand", "carrier", "status"),
    comment="read model of each shipment, for filters and carrier-wide questions",
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("source", String(100), nullable=False),
    Column("event_id", String(250), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("shipment_ref", String(60), nullable=False, server_default=""),
    Column("occurred_at", Utc, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("inbox_id", Sequence64, comment="the raw payload it came from; null for what ordertrail itself found"),
    Column("seq", Integer, nullable=False, comment="the advance that appended it"),
    Column("envelope", Text, nullable=False, comment="the versioned Envelope as JSON"),
    UniqueConstraint("order_id", "source", "event_id", "shipment_ref"),
    Index("ix_timeline_order_id", "order_id", "id"),
    comment="append-only; the truth",
)

promises = Table(
    "promises",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("shipment_ref", String(60)),
    Column("promise", Json, nullable=False),
    Column("source", String(100), nullable=False),
    Column("shown_at", Utc, nullable=False),
    Index("ix_promises_order_id", "order_id", "id"),
)

advances = Table(
    "advances",
    metadata,
    Column("order_id", Id, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("idempotency_key", String(120), nullable=False, comment="run id and count of the advance that committed it"),
    Column("outcome", Text, nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("order_id", "idempotency_key"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("decision", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("message_kind", String(30)),
    Column("shipment_ref", String(60)),
    Column("occurrence", Integer),
    Column("recipient", String(20)),
    Column("channel", String(10)),
    Column("event_ids", Json, nullable=False),
    Column("inputs", Json, nullable=False, comment="what mattered: facts and policy values, no personal data"),
    Column("versions", Json, nullable=False, comment="code, policy, templates"),
    Column("at", Utc, nullable=False),
    Index("ix_decisions_order_id", "order_id", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(250), nullable=False, unique=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("shipment_ref", String(60)),
    Column("kind", String(30), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("recipient", String(20), nullable=False, comment="customer or recipient"),
    Column("channel", String(10), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("provider", String(30), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", String(100)),
    Column("facts", Text, nullable=False, comment="MessageFacts as JSON, as decided; personal data"),
    Column("address", String(320), comment="personal data"),
    Column("rendered", Text, comment="Rendered as JSON, once, at claim; personal data"),
    Column("not_before", Utc, nullable=False),
    Column("not_after", Utc, nullable=False),
    Column("planned_at", Utc, nullable=False),
    Column("claimed_at", Utc),
    Column("unclear_since", Utc, comment="an attempt may have got through and nobody knows yet"),
    Column("accepted_at", Utc),
    Column("settled_at", Utc),
    Column("receipt_due_at", Utc),
    Column("provider_message_id", String(200)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ambiguous", Integer, nullable=False, server_default="0", comment="attempts whose end nobody saw"),
    Column("unresolved", Integer, nullable=False, server_default="0", comment="sent again with nobody to ask"),
    Column("overtaken", Boolean, nullable=False, server_default=text("false")),
    Column(
        "handled", Boolean, nullable=False, server_default=text("false"), comment="a failure the order has answered"
    ),
    Index("ix_deliveries_order_id", "order_id", "id"),
    Index("ix_deliveries_person", "person_id", "channel", "planned_at"),
    Index("ix_deliveries_provider", "provider", "provider_message_id"),
    Index("ix_deliveries_brand", "brand", "id"),
)

outbox_events = Table(
    "outbox_events",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("type", String(40), nullable=False),
    Column("data", Json, nullable=False, comment="facts and ids, no personal data"),
    Column("at", Utc, nullable=False),
    Index("ix_outbox_events_order", "order_id", "id"),
    sqlite_autoincrement=True,
)

cases = Table(
    "cases",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("shipment_ref", String(60), nullable=False, server_default=""),
    Column("kind", String(30), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("queue", String(40), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("state", String(20), nullable=False, comment="open, acknowledged, closed"),
    Column("reason", String(60), nullable=False),
    Column("facts", Json, nullable=False, comment="what an agent needs, no personal data"),
    Column("opened_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("escalated_at", Utc),
    Column("acknowledged_at", Utc),
    Column("closed_at", Utc),
    Column("outcome", String(100)),
    UniqueConstraint("order_id", "shipment_ref", "kind", "occurrence"),
    Index("ix_cases_queue", "brand", "state", "queue", "priority"),
    Index("ix_cases_order_id", "order_id"),
)

console_messages = Table(
    "console_messages",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("delivery_id", Id, nullable=False, unique=True),
    Column("brand", Brand, nullable=False),
    Column("channel", String(10), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("recipient", String(320), nullable=False, comment="personal data"),
    Column("recipient_name", String(200), nullable=False, comment="personal data"),
    Column("message", Text, nullable=False, comment="Rendered as JSON; personal data"),
    Column("at", Utc, nullable=False),
    comment="what the console provider was given; its own side of the wire",
)

preferences = Table(
    "preferences",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("frequency", String(20), nullable=False, comment="the newest row counts, older ones are history"),
    Column("source", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_preferences_person", "person_id", "kind", "channel", "id"),
    comment="how often a person wants a kind on a channel; where there is no row, the brand's defaults hold",
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("order_id", Id, comment="the order it follows; null: all orders of the person"),
    Column("endpoint", Text, comment="personal data; null once erased"),
    Column("endpoint_sha256", String(64), nullable=False),
    Column("p256dh", String(100), nullable=False, comment="the device's public key, base64url"),
    Column("auth", String(40), nullable=False, comment="secret shared with the device, base64url"),
    Column("user_agent", String(20), nullable=False, comment="family of the browser, such as firefox"),
    Column("created_at", Utc, nullable=False),
    Column("expired_at", Utc),
    Column("expired_reason", String(40)),
    Index("ix_push_subscriptions_person", "person_id", "expired_at"),
    Index("uq_push_subscriptions_device", "order_id", "endpoint_sha256", unique=True),
    comment="devices on which somebody asked to be notified",
)

trials = Table(
    "trials",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("language", String(20), nullable=False),
    Column("data", String(30), nullable=False, comment="which set of sample data"),
    Column("address_key", String(64), nullable=False, comment="keyed hash of where it went"),
    Column("provider", String(30), nullable=False),
    Column("outcome", String(100), nullable=False, comment="sent, or the reason why not"),
    Column("asked_by", String(100), nullable=False, comment="the operator's key"),
    Column("at", Utc, nullable=False),
    Index("ix_trials_brand", "brand", "id"),
    comment="test messages that operators sent to themselves",
)

short_links = Table(
    "short_links",
    metadata,
    Column("code", String(12), primary_key=True, comment="keyed hash of order and role"),
    Column("brand", Brand, nullable=False),
    Column("order_id", Id, nullable=False),
    Column("role", String(20), nullable=False, comment="customer, or recipient of a gift"),
    comment="what the short links in texts stand for",
)
