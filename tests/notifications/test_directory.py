import pytest

from contracts.codes import Agency
from services.notifications.directory import Directory, load_directory
from services.runtime.settings import BadSettings


@pytest.fixture
def directory(tmp_path):
    def written(text):
        path = tmp_path / "duty.toml"
        path.write_text(text)
        return load_directory(path)

    return written


def test_without_a_file_every_office_has_an_example_address():
    addresses = [
        Directory().address_of(Agency.BAWASLU, "kabkota:52.04"),
        Directory().address_of(Agency.SP4N_LAPOR, "pusat"),
        Directory().address_of(Agency.PPK, None),
    ]
    assert addresses == [
        "bawaslu.kabkota-52.04@duty.netral.invalid",
        "sp4n-lapor.pusat@duty.netral.invalid",
        "ppk@duty.netral.invalid",
    ]


def test_a_listed_office_comes_before_the_rest_of_its_agency_and_that_before_the_pattern(directory):
    found = directory(
        'domain = "duty.example.go.id"\n[BAWASLU]\n"kabkota:52.04" = "sumbawa@example.go.id"\n"*" = "ri@example.go.id"\n'
    )
    assert found.address_of(Agency.BAWASLU, "kabkota:52.04") == "sumbawa@example.go.id"
    assert found.address_of(Agency.BAWASLU, "kabkota:52.05") == "ri@example.go.id"
    assert found.address_of(Agency.BAWASLU, None) == "ri@example.go.id"
    assert found.address_of(Agency.BKN, "pusat") == "bkn.pusat@duty.example.go.id"


def test_without_a_domain_who_is_not_listed_has_no_address(directory):
    assert directory('[BKN]\n"*" = "a@b.go.id"\n').address_of(Agency.PPK, "pusat") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain = ", "cannot be read as TOML"),
        ('domain = "a b"', "domain is not a mail domain"),
        ('[BAWASLO]\n"*" = "a@b.c"', "'BAWASLO' is not an agency"),
        ('BKN = "a@b.c"', "BKN is not a table"),
        ('[BKN]\n"pusat" = "no address"', 'BKN."pusat" is not a mail address'),
    ],
)
def test_a_faulty_directory_says_what_and_where(directory, text, says):
    with pytest.raises(BadSettings, match=says):
        directory(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadSettings, match=r"none\.toml: cannot be read"):
        load_directory(tmp_path / "none.toml")
