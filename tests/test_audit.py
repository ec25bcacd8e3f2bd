"""What CI makes of an audit: a vulnerability is red, silence is said and stays green."""

from tests.audit import judged

WELL = {"name": "starlette", "version": "1.10.0", "vulns": []}
BAD = {"name": "httpx", "version": "0.28.1", "vulns": [{"id": "PYSEC-1"}]}
UNKNOWN = {"name": "uvloop", "skip_reason": "not found"}


def test_a_known_vulnerability_fails_and_is_named():
    assert judged({"dependencies": [WELL, BAD, UNKNOWN]}) == (
        1,
        "2 of 3 packages looked up; vulnerable: httpx 0.28.1: PYSEC-1",
    )


def test_without_a_vulnerability_the_number_of_packages_is_said():
    assert judged({"dependencies": [WELL, UNKNOWN]}) == (0, "1 of 2 packages looked up, none is vulnerable")


def test_a_list_that_does_not_answer_is_no_clean_bill():
    for report in (None, {"dependencies": [UNKNOWN]}):
        code, said = judged(report)
        assert (code, "not audited" in said) == (0, True)
