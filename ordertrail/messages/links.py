"""Signed links to the customer's own pages; whoever holds one needs no login."""

import string
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from ordertrail.domain.ids import keyed_hash
from ordertrail.domain.policy.situation import CUSTOMER, RECIPIENT
from ordertrail.domain.vocabulary import Channel, MessageKind

_TOKEN_MAX = 400
"""No link of ours is longer; anything longer is not looked at."""
_CODE_LENGTH = 12
_CODE_MARKS = string.digits + string.ascii_letters
"""Letters and digits alone: phones end a link they find in a text before a hyphen or a dot at its end."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a tracking link opens, and for whom: `role` is `customer`, or `recipient` of a gift, who sees no prices."""

    order_id: str
    role: str

    @property
    def for_recipient(self) -> bool:
        """Whether it was made for the recipient of a gift."""
        return self.role == RECIPIENT


@dataclass(frozen=True, kw_only=True)
class Unsubscription:
    """What an unsubscribe link is about: one person's messages of one kind on one channel."""

    brand: str
    person_id: str
    kind: MessageKind
    channel: Channel


class Links:
    """Builds and reads links on the public host. `secret` is the installation's; a changed one ends all links."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._tracking = URLSafeSerializer(secret, salt="tracking")
        self._unsubscribe = URLSafeSerializer(secret, salt="unsubscribe")
        self._secret = secret
        self._public_url = public_url.rstrip("/")

    def tracking_token(self, order_id: str, role: str = CUSTOMER) -> str:
        """The token that opens an order's tracking page; always the same for the same order and role."""
        # The customer's is the bare id, as in the links of all messages sent before there were roles.
        token = self._tracking.dumps(order_id if role == CUSTOMER else [order_id, role])
        return token if isinstance(token, str) else token.decode()

    def tracking_path(self, order_id: str, role: str = CUSTOMER) -> str:
        """The path of the tracking page, such as '/t/<token>'."""
        return f"/t/{self.tracking_token(order_id, role)}"

    def tracking_page(self, order_id: str, role: str = CUSTOMER) -> str:
        """The whole address of the tracking page."""
        return f"{self._public_url}{self.tracking_path(order_id, role)}"

    def short_code(self, order_id: str, role: str = CUSTOMER) -> str:
        """Twelve characters (71 bits) that stand for the tracking token in texts; nobody without the secret has them.

        What they stand for is looked up, see `ordertrail.db.short_links`.
        """
        number, marks = int(keyed_hash(self._secret, "short", order_id, role), 16), []
        for _ in range(_CODE_LENGTH):
            number, at = divmod(number, len(_CODE_MARKS))
            marks.append(_CODE_MARKS[at])
        return "".join(marks)

    def short_page(self, order_id: str, role: str = CUSTOMER) -> str:
        """The whole short address of the tracking page."""
        return f"{self._public_url}/s/{self.short_code(order_id, role)}"

    def order_of(self, token: str) -> Opened | None:
        """The order a token opens and for whom, or None if we did not sign it. Compared in constant time."""
        if len(token) > _TOKEN_MAX:
            return None
        try:
            signed = self._tracking.loads(token)
        except BadSignature:
            return None
        match signed:
            case str(order_id):
                return Opened(order_id=order_id, role=CUSTOMER)
            case [str(order_id), str(role)]:
                return Opened(order_id=order_id, role=role)
        return None

    def unsubscribe(self, about: Unsubscription) -> str:
        """The whole address that ends these messages: asked about by GET, done by POST (RFC 8058)."""
        token = self._unsubscribe.dumps([about.brand, about.person_id, about.kind.value, about.channel.value])
        return f"{self._public_url}/u/{token if isinstance(token, str) else token.decode()}"

    def unsubscription_of(self, token: str) -> Unsubscription | None:
        """What a token is about, or None if we did not sign it. Compared in constant time."""
        if len(token) > _TOKEN_MAX:
            return None
        try:
            brand, person_id, kind, channel = self._unsubscribe.loads(token)
            return Unsubscription(brand=brand, person_id=person_id, kind=MessageKind(kind), channel=Channel(channel))
        except (BadSignature, ValueError, TypeError):
            return None
