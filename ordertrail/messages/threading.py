"""Header fields of an email: an order's emails form one conversation, and stopping them is one click."""

from hashlib import sha256

from ordertrail.domain.brand import Brand
from ordertrail.domain.message import MessageFacts
from ordertrail.messages.clean import web_url


def email_headers(brand: Brand, facts: MessageFacts) -> dict[str, str]:
    """Header fields beside From, To, Subject and Message-ID, each one line of ASCII.

    References and In-Reply-To name a message that never was, the same for all of an order's emails: clients build
    threads from them (RFC 5322, 3.6.4). Auto-Submitted keeps answering machines silent (RFC 3834). List-Unsubscribe
    and its -Post are one click (RFC 8058) and only there with a link for this recipient.
    """
    thread = thread_id(brand, facts.order_id)
    headers = {"Auto-Submitted": "auto-generated", "References": thread, "In-Reply-To": thread}
    if link := web_url(facts.unsubscribe_url):
        headers["List-Unsubscribe"] = f"<{link}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def thread_id(brand: Brand, order_id: str) -> str:
    """The message id that an order's emails refer to. A digest of the order's id, which may hold any character."""
    return f"<order.{sha256(order_id.encode()).hexdigest()[:24]}@{_domain(brand)}>"


def _domain(brand: Brand) -> str:
    return brand.sender.email.rpartition("@")[2].encode("idna").decode()
