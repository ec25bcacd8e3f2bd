from hypothesis import given
from hypothesis import strategies as st

from services.notifications.core.refusing import reader_of, token_of

READER = "BAWASLU/kabkota:52.04"


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=60))
def test_a_token_names_its_reader_and_nobody_else_can_make_one(reader):
    token = token_of(reader, b"key")
    assert reader_of(token, b"key") == reader
    assert reader_of(token, b"other") is None


def test_a_token_does_not_tell_who_the_reader_is():
    token = token_of(READER, b"key")
    assert "BAWASLU" not in token
    assert token[:10] != token_of("BAWASLU/kabkota:52.05", b"key")[:10]


@given(st.text(max_size=300))
def test_anything_else_is_no_token(text):
    assert reader_of(text, b"key") is None


def test_a_changed_token_is_no_token():
    token = token_of(READER, b"key")
    for place in range(len(token) - 1):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert reader_of(changed, b"key") is None
