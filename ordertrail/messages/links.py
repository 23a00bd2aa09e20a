"""Signed links to the customer's own pages; whoever holds one needs no login."""

from itsdangerous import BadSignature, URLSafeSerializer

_TOKEN_MAX = 200
"""No link of ours is longer; anything longer is not looked at."""


class Links:
    """Builds and reads links on the public host. `secret` is the installation's; a changed one ends all links."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        self._tracking = URLSafeSerializer(secret, salt="tracking")
        self._public_url = public_url.rstrip("/")

    def tracking_token(self, order_id: str) -> str:
        """The token that opens an order's tracking page; always the same for the same order."""
        token = self._tracking.dumps(order_id)
        return token if isinstance(token, str) else token.decode()

    def tracking_path(self, order_id: str) -> str:
        """The path of the tracking page, such as '/t/<token>'."""
        return f"/t/{self.tracking_token(order_id)}"

    def tracking_page(self, order_id: str) -> str:
        """The whole address of the tracking page."""
        return f"{self._public_url}{self.tracking_path(order_id)}"

    def order_of(self, token: str) -> str | None:
        """The order a token opens, or None if we did not sign it. Compared in constant time."""
        if len(token) > _TOKEN_MAX:
            return None
        try:
            order_id = self._tracking.loads(token)
        except BadSignature:
            return None
        return order_id if isinstance(order_id, str) else None
