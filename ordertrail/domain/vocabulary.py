"""The words of the product as closed sets; design vocabulary, one concept per word."""

from enum import StrEnum


class ShipmentStatus(StrEnum):
    """Where one parcel or drop stands. `delayed`, `stale` and `at_risk` are conditions beside it, never statuses."""

    UNKNOWN = "unknown"
    LABEL_CREATED = "label_created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_ATTEMPTED = "delivery_attempted"
    READY_FOR_PICKUP = "ready_for_pickup"
    ON_HOLD = "on_hold"
    EXCEPTION = "exception"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class OrderStatus(StrEnum):
    """Where the whole order stands; derived from its events and shipments, never set by hand."""

    PLACED = "placed"
    PROCESSING = "processing"
    PACKED = "packed"
    ON_HOLD = "on_hold"
    BACKORDERED = "backordered"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    ATTENTION = "attention"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Condition(StrEnum):
    """Raised and cleared beside the status; both leave a trace on the timeline."""

    DELAYED = "delayed"
    STALE = "stale"
    AT_RISK = "at_risk"


class MessageKind(StrEnum):
    """What a message is about."""

    ORDER_CONFIRMATION = "order_confirmation"
    ORDER_UPDATE = "order_update"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERY_ATTEMPTED = "delivery_attempted"
    DELIVERED = "delivered"
    DELAY = "delay"
    ISSUE = "issue"
    BACK_ON_TRACK = "back_on_track"
    CORRECTION = "correction"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    RETURNED = "returned"
    FEEDBACK_INVITE = "feedback_invite"
    SUPPORT_REPLY = "support_reply"
    DIGEST = "digest"
    OFFER = "offer"


class Channel(StrEnum):
    """The way a message travels. The console is a provider standing in for any of them."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    VOICE = "voice"


class Frequency(StrEnum):
    """How often a customer wants a kind on a channel."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


class Fulfilment(StrEnum):
    """How goods reach the customer."""

    PARCEL = "parcel"
    OWN_FLEET = "own_fleet"
    PICKUP = "pickup"


class PaymentState(StrEnum):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"


class ReasonCode(StrEnum):
    """Why something went differently than promised; carriers' and the OMS's reasons map to these."""

    WEATHER = "weather"
    CARRIER_CAPACITY = "carrier_capacity"
    MISSED_CONNECTION = "missed_connection"
    CUSTOMS = "customs"
    ADDRESS_ISSUE = "address_issue"
    NOBODY_HOME = "nobody_home"
    ACCESS_PROBLEM = "access_problem"
    REFUSED = "refused"
    DAMAGED = "damaged"
    LOST = "lost"
    PAYMENT = "payment"
    FRAUD_REVIEW = "fraud_review"
    BACKORDERED = "backordered"
    OUT_OF_STOCK = "out_of_stock"
    WAREHOUSE_BACKLOG = "warehouse_backlog"
    SHIP_BY_MISSED = "ship_by_missed"
    PROMISE_MISSED = "promise_missed"
    PROMISE_MOVED = "promise_moved"
    CARRIER_DELAY = "carrier_delay"
    NO_SCANS = "no_scans"
    CUSTOMER_REQUEST = "customer_request"
    NOT_COLLECTED = "not_collected"
    OTHER = "other"


class Milestone(StrEnum):
    """Steps of `in_transit` that a customer cares about."""

    LEFT_ORIGIN = "left_origin"
    CUSTOMS = "customs"
    CUSTOMS_CLEARED = "customs_cleared"
    LOCAL_FACILITY = "local_facility"


class CaseKind(StrEnum):
    """What a support queue is asked to own."""

    LATE = "late"
    LOST = "lost"
    DAMAGED = "damaged"
    UNDELIVERABLE = "undeliverable"
    RETURNED_TO_SENDER = "returned_to_sender"
    PAYMENT = "payment"
    STOCK = "stock"
    MOVED_AFTER_CANCEL = "moved_after_cancel"
    REVERSAL = "reversal"
    UNREACHABLE = "unreachable"


class CasePriority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class DeliveryState(StrEnum):
    """The state machine of one message to one recipient on one channel."""

    HELD = "held"  # decided, waits for quiet hours to end
    PLANNED = "planned"  # to be sent now
    CLAIMED = "claimed"  # rendered and stored; an attempt may be at the provider
    ACCEPTED = "accepted"  # the provider took responsibility
    DELIVERED = "delivered"  # the provider reports receipt
    FAILED = "failed"  # permanent; a reason is stored
    UNKNOWN = "unknown"  # ambiguous and nobody could resolve it
    SUPERSEDED = "superseded"  # overtaken before it left
    EXPIRED = "expired"  # its useful life ended before it could be sent


TERMINAL_SHIPMENT = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED, ShipmentStatus.CANCELLED})
"""Statuses after which nothing more is expected of a shipment."""
