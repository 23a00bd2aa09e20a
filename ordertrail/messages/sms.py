"""Fits a text message into two segments: GSM-7 where possible, the link always whole."""

import unicodedata
from collections.abc import Iterator, Sequence

# 3GPP TS 23.038, table 6.2.1 and its extension table 6.2.1.1 (each of which costs two septets).
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM_SINGLE, _GSM_PART = 160, 153
_UCS_SINGLE, _UCS_PART = 70, 67
MAX_SEGMENTS = 2

_PLAINER = str.maketrans(
    {
        "–": "-", "—": "-", "‑": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"',
        "»": '"', "…": "...", "•": "-", "·": "-", "→": "->", "×": "x", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "™": "", "®": "", "©": "(c)",
    }
)  # fmt: skip


def to_gsm(text: str) -> str:
    """The text with typographic marks and accents outside GSM-7 made plain ('Málaga – …' -> 'Malaga - ...').

    Characters of other scripts stay as they are.
    """
    return "".join(_plainer(mark) for mark in text.translate(_PLAINER))


def is_gsm(text: str) -> bool:
    """Whether every character is in the GSM 7-bit alphabet."""
    return all(mark in _BASIC or mark in _EXTENDED for mark in text)


def segments(text: str) -> int:
    """How many messages a network bills for this text (3GPP TS 23.040: 160/153 septets, or 70/67 UTF-16 units)."""
    if is_gsm(text):
        length, single, part = _septets(text), _GSM_SINGLE, _GSM_PART
    else:
        length, single, part = len(text.encode("utf-16-be")) // 2, _UCS_SINGLE, _UCS_PART
    return 1 if length <= single else -(-length // part)


def fit(sentences: Sequence[str], link: str, *, contact: Sequence[str] = (), why: str = "") -> str:
    """As much as fits into two segments: the sentences, whom to ask, why one gets this, and the link at the end.

    `sentences` come in order of importance, `contact` is the same said ever shorter. What has to go, goes in this
    order: `why`, the least important sentences up to the second, the longer forms of `contact`, the second sentence,
    ornaments outside GSM-7, the end of the first sentence. A link too long for two segments by itself is left out,
    because half a link is worth nothing.
    """
    must, *rest = [to_gsm(sentence) for sentence in sentences if sentence]
    for second, whom in _openings(rest[:1], [to_gsm(form) for form in contact if form]):
        text = _join([must, *second, *whom], link)
        if segments(text) > MAX_SEGMENTS:
            continue
        told = [must, *second]
        for further in rest[1:] if second else []:
            fuller = _join([*told, further, *whom], link)
            if segments(fuller) > MAX_SEGMENTS:
                break
            text, told = fuller, [*told, further]
        whole = _join([*told, *whom, to_gsm(why)], link)
        return whole if len(told) == len(rest) + 1 and segments(whole) <= MAX_SEGMENTS else text
    if segments(link) > MAX_SEGMENTS:
        return fit([must, *rest], "", contact=contact, why=why)
    first = _without_ornaments(must)
    if segments(_join([first], link)) <= MAX_SEGMENTS:
        return _join([first], link)
    for end in range(len(first), 0, -1):
        text = _join([first[:end].rstrip() + "..."], link)
        if segments(text) <= MAX_SEGMENTS:
            return text
    return link


def _openings(second: list[str], forms: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """What may follow the first sentence, best first: (the second one, whom to ask), each possibly left out."""
    yield from ((second, [form]) for form in forms)
    yield from (([], [form]) for form in forms)
    yield second, []
    yield [], []


def _without_ornaments(sentence: str) -> str:
    """Without what is outside GSM-7, if it can be read without; a sentence in another script is left whole."""
    letters = [is_gsm(mark) for mark in sentence if mark.isalpha()]
    if letters.count(False) > len(letters) / 2:
        return sentence
    return "".join(mark for mark in sentence if is_gsm(mark)).strip()


def _join(sentences: Sequence[str], link: str) -> str:
    return "\n".join(part for part in (*sentences, link) if part)


def _septets(text: str) -> int:
    return sum(2 if mark in _EXTENDED else 1 for mark in text)


def _plainer(mark: str) -> str:
    if is_gsm(mark):
        return mark
    bare = "".join(part for part in unicodedata.normalize("NFKD", mark) if not unicodedata.combining(part))
    return bare if bare and is_gsm(bare) else mark
