import pytest

from services.notifications.core.addresses import mailbox


@pytest.mark.parametrize("address", ["warga@contoh.example", "a.b+c@x.go.id", "netral@localhost"])
def test_an_ordinary_address_stands(address):
    assert mailbox(address) == address


def test_a_domain_in_another_script_is_written_in_ascii():
    assert mailbox("warga@contöh.example") == "warga@xn--conth-mua.example"


@pytest.mark.parametrize(
    "address",
    ["", "a", "@b", "a@", "a b@c.d", "a@b\r\nBcc: x@y.z", "a@b,c@d", "<a@b>", "wárga@contoh.example", ".a@b.c",
     "a@-b.c", "a" * 65 + "@b.c", "a@" + "b" * 64 + ".c", '"a b"@c.d', "a@b@c"],
)  # fmt: skip
def test_what_cannot_stand_in_an_envelope_is_no_address(address):
    assert mailbox(address) is None
