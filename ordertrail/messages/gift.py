"""What the recipient of a gift may see of an order: all but what it cost, how it was paid and what was repaid."""

from decimal import Decimal

from ordertrail.domain.document import OrderDocument, OrderEventView, PaymentView
from ordertrail.domain.order import Totals
from ordertrail.domain.vocabulary import PaymentState, ReasonCode

_NOTHING = Decimal(0)
_REFUNDED = "refunded"


def without_money(order: OrderDocument) -> OrderDocument:
    """The document with prices, totals, payment and refunds emptied, and events that tell of money left out."""
    return order.model_copy(
        update={
            "lines": tuple(line.model_copy(update={"unit_price": _NOTHING}) for line in order.lines),
            "totals": Totals(items=_NOTHING, total=_NOTHING),
            "payment": PaymentView(state=PaymentState.PENDING),
            "refunds": (),
            "events": tuple(_quiet(event) for event in order.events if event.kind != _REFUNDED),
        }
    )


def _quiet(event: OrderEventView) -> OrderEventView:
    return event.model_copy(update={"reason_code": None}) if event.reason_code is ReasonCode.PAYMENT else event
