"""Which addresses of push services are used: a browser names them, so they could name anything."""

import base64
import binascii
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

ENDPOINT_MAX = 1000
_POOLED_CONNECTIONS = 32
_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)


class NotPublic(NewConnectionError):
    """The name leads to an address inside: nobody's browser gets there, and neither do we."""


def is_public_endpoint(endpoint: str) -> bool:
    """Whether a push service may be there: https on its usual port, and a name rather than an address.

    Names may lead anywhere, also later on; so the address is looked at again whenever a connection is made.
    """
    if len(endpoint) > ENDPOINT_MAX or not (endpoint.isascii() and endpoint.isprintable()) or " " in endpoint:
        return False
    try:
        url = urlsplit(endpoint)
        port, host = url.port, url.hostname or ""
    except ValueError:
        return False
    named = _HOST.fullmatch(host) is not None and not host.rpartition(".")[2].isdigit()
    return url.scheme == "https" and named and port in {None, 443} and "@" not in url.netloc and not url.fragment


def is_web_address(endpoint: str) -> bool:
    """The weaker question, for push services on the machine of a test."""
    return len(endpoint) <= ENDPOINT_MAX and endpoint.isascii() and endpoint.startswith(("https://", "http://"))


def is_device_key(p256dh: str) -> bool:
    """Whether this is a public key of P-256 as browsers give it: base64url of an uncompressed point."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(p256dh))
    except ValueError:
        return False
    return len(decoded(p256dh)) == 65


def is_device_secret(auth: str) -> bool:
    """Whether this is base64url of 16 bytes (RFC 8291 section 3.2)."""
    try:
        return len(decoded(auth)) == 16
    except ValueError:
        return False


def decoded(text: str) -> bytes:
    """Base64url without padding. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+={0,2}", text):
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None


class _GuardedConnection(HTTPSConnection):
    def _new_conn(self) -> Any:
        connected = super()._new_conn()
        if not ipaddress.ip_address(connected.getpeername()[0].partition("%")[0]).is_global:
            connected.close()
            raise NotPublic(self, "not a public address")
        return connected


class _GuardedPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedConnection


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _GuardedPool}


def push_session(*, allow_private: bool) -> requests.Session:
    """A session that connects to public addresses by https and nowhere else, unless `allow_private`.

    It uses no proxy: behind one, where a connection leads could not be seen.
    """
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    if allow_private:
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=_POOLED_CONNECTIONS))
    else:
        session.mount("https://", _GuardedAdapter(pool_maxsize=_POOLED_CONNECTIONS))
    return session
