"""Texts fit two segments without losing what they say."""

import pytest

from ordertrail.messages.sms import MAX_SEGMENTS, fit, segments

LONG = {"ja": "あなたのご注文は本日お届けの予定です" * 8, "ar": "طلبك في الطريق إليك اليوم " * 8}


@pytest.mark.parametrize("sentence", LONG.values(), ids=LONG)
def test_a_text_in_another_script_is_cut_at_its_end_and_keeps_its_letters(sentence: str) -> None:
    text = fit([sentence], "https://example.com/t/abcdefgh")
    assert segments(text) <= MAX_SEGMENTS
    assert text.startswith(sentence[:20])
    assert text.endswith("https://example.com/t/abcdefgh")
