"""Names of carriers as customers know them."""

_NAMES = {
    "amazon": "Amazon Logistics",
    "an-post": "An Post",
    "aramex": "Aramex",
    "australia-post": "Australia Post",
    "bpost": "bpost",
    "canada-post": "Canada Post",
    "chronopost": "Chronopost",
    "colissimo": "Colissimo",
    "correos": "Correos",
    "correos-express": "Correos Express",
    "ctt": "CTT",
    "dhl": "DHL",
    "dhl-ecommerce": "DHL eCommerce",
    "dhl-express": "DHL Express",
    "dhl-germany": "DHL",
    "dhl-paket": "DHL",
    "dpd": "DPD",
    "evri": "Evri",
    "fedex": "FedEx",
    "gls": "GLS",
    "hermes": "Hermes",
    "inpost": "InPost",
    "la-poste": "La Poste",
    "mondial-relay": "Mondial Relay",
    "mrw": "MRW",
    "nacex": "NACEX",
    "ontrac": "OnTrac",
    "postnl": "PostNL",
    "postnord": "PostNord",
    "poste-italiane": "Poste Italiane",
    "purolator": "Purolator",
    "royal-mail": "Royal Mail",
    "seur": "SEUR",
    "tnt": "TNT",
    "ups": "UPS",
    "usps": "USPS",
    "yodel": "Yodel",
}
_OWN = frozenset({"own", "own-fleet", "fleet", "store", "pickup", "in-house"})


def carrier_name(slug: str | None) -> str | None:
    """The name to show for a carrier's slug, or None where there is no carrier to name (our own drivers, a store).

    A carrier not listed is shown as its slug in capitalised words: 'night-owl' becomes 'Night Owl'.
    """
    if slug is None:
        return None
    key = slug.replace("_", "-")
    if key in _OWN:
        return None
    return _NAMES.get(key) or " ".join(word.capitalize() for word in key.split("-"))
