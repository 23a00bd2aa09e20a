"""Texts fit two segments without losing what they say."""

import pytest

from ordertrail.messages.sms import MAX_SEGMENTS, fit, segments

LINK = "https://go.example.com/s/abcdefghijkl"
WHOM = ("Questions: +49 30 1234567", "+49 30 1234567")
WHY = "You agreed to texts; reply STOP to end them."
LONG = {"ja": "あなたのご注文は本日お届けの予定です" * 8, "ar": "طلبك في الطريق إليك اليوم " * 8}


@pytest.mark.parametrize("sentence", LONG.values(), ids=LONG)
def test_a_text_in_another_script_is_cut_at_its_end_and_keeps_its_letters(sentence: str) -> None:
    text = fit([sentence], "https://example.com/t/abcdefgh")
    assert segments(text) <= MAX_SEGMENTS
    assert text.startswith(sentence[:20])
    assert text.endswith("https://example.com/t/abcdefgh")


def test_with_room_for_all_nothing_goes() -> None:
    assert fit(["Shop: shipped", "Expected: Friday"], LINK, contact=WHOM, why=WHY).splitlines() == [
        "Shop: shipped", "Expected: Friday", WHOM[0], WHY, LINK,
    ]  # fmt: skip


def test_the_reason_goes_first_then_the_least_important_sentences() -> None:
    facts = ["Shop: shipped", "Expected: Friday", "c" * 130, "d" * 130]
    assert fit(facts, LINK, contact=WHOM, why=WHY).splitlines() == [*facts[:3], WHOM[0], LINK]


def test_whom_to_ask_is_said_shorter_before_the_second_sentence_goes() -> None:
    tight = ["あ" * 40, "い" * 37]
    assert fit(tight, LINK, contact=WHOM, why=WHY).splitlines() == [*tight, WHOM[1], LINK]
    assert fit([tight[0], "い" * 50], LINK, contact=WHOM, why=WHY).splitlines() == [tight[0], WHOM[0], LINK]
