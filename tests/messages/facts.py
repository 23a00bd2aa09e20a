"""Brands for the tests of rendering, and the product's own sample messages under short names."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from ordertrail.domain.brand import Brand, OpeningHours, Sender, Support, Tone
from ordertrail.domain.message import MessageFacts
from ordertrail.domain.vocabulary import MessageKind
from ordertrail.messages import samples
from ordertrail.messages.samples_extreme import HOSTILE

K = MessageKind
KINDS = samples.KINDS
HAPPENED = samples.HAPPENED
NOW = HAPPENED + timedelta(minutes=1)
PAGE_URL = samples.PAGE_URL
DAY, LATER, WINDOW, PARCEL = samples.DAY, samples.LATER, samples.WINDOW, samples.PARCEL
MARKUP = HOSTILE
AFTER_DAY = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)

CASA_VERDE = Brand(
    id="casa-verde",
    name="Casa Verde",
    zone="Europe/Madrid",
    colour="#1d6b4f",
    sender=Sender(email="hello@casaverde.example", name="Casa Verde"),
    support=Support(email="help@casaverde.example", phone="+34912345678"),
    legal="Casa Verde Hogar S.L.\nCalle de Alcalá 1, 28014 Madrid",
    site_url="https://casaverde.example",
    short_url="https://go.casaverde.example",
)
FORNO = Brand(
    id="forno",
    name="Forno Catering",
    zone="Europe/Madrid",
    languages=("en", "es"),
    colour="#f2b705",
    sender=Sender(email="ciao@forno.example", name="Forno"),
    support=Support(
        phone="+34911112222", hours=tuple(OpeningHours(weekday=day, opens=time(8), closes=time(20)) for day in range(6))
    ),
    wording={"processing": "in the kitchen", "out_for_delivery": "left the kitchen"},
    wording_in={"es": {"processing": "en la cocina"}},
    tone={
        "en": {
            "any": Tone(closing="Ciao, your Forno kitchen"),
            "delivered": Tone(greeting="Buon appetito!", closing="See you at the next feast."),
        }
    },
)


def facts(kind: MessageKind, **changes: Any) -> MessageFacts:
    """A realistic message of this kind, with some facts replaced."""
    return samples.sample(kind, **changes)
