"""Every kind of authoring mistake is refused with its place, its cause and its cure; the rulebook itself has none."""

import shutil
from pathlib import Path

import pytest

from services.routing.rulebook_files import HERE, load_rulebook
from services.routing.yaml_nodes import BrokenRulebook, RuleFault, read

INTAKE, SUPERVISION, CRIME, LAST = (
    "10-intake.yaml",
    "20-supervision.yaml",
    "50-crime.yaml",
    "60-follow-up.yaml",
)
COPY = '{agency: BKN, role: COPY, office: CENTRE, when: "PPK_CONCLUDED:SILENT"}'
SILENT = f"{{from: 2014-01-15, basis: [praktik], assign: {COPY}}}"
VILLAGE = "{election: PILKADA, status: KEPALA_DESA"
KASN = 'assign: &kasn {agency: KASN, role: ACTION, office: CENTRE, when: "STUDY_CONCLUDED:BREACH"'
LIMIT = "deadline: 7 CALENDAR_DAY since KNOWN"
GIVEN = "    given: {status: ASN}\n"

# What is broken, by what, the text that stands where the fault points, and what the fault says.
MISTAKES = {
    "a misspelt value": (
        CRIME, VILLAGE, VILLAGE.replace("DESA", "DSA"),
        "status: KEPALA_DSA",
        "'KEPALA_DSA' is not a value of status; did you mean 'KEPALA_DESA'?",
    ),
    "a misspelt fact": (
        CRIME, VILLAGE, VILLAGE.replace("status", "statsu"),
        "statsu",
        "'statsu' is not known here; did you mean 'status'?",
    ),
    "an unknown group": (
        SUPERVISION, "given: {status: ASN}", "given: {status: PEGAWAI}",
        "status: PEGAWAI}",
        "'PEGAWAI' is not a value of status; did you mean 'PEGAWAI_ASN'?",
    ),
    "a group with two letters swapped, one letter away from a value": (
        SUPERVISION, "given: {status: ASN}", "given: {status: ANS}",
        "status: ANS}",
        "'ANS' is not a value of status; did you mean 'ASN'?",
    ),
    "a value with two letters swapped": (
        SUPERVISION, "given: {status: ASN}", "given: {status: NPS}",
        "status: NPS}",
        "'NPS' is not a value of status; did you mean 'PNS'?",
    ),
    "a misspelt member of a group": (
        "book.yaml", "ASN: [PNS,", "ASN: [PNSS,",
        "PNSS, CPNS",
        "'PNSS' is not a value of status; did you mean 'PNS'?",
    ),
    "a number where a value belongs": (
        SUPERVISION, "given: {status: ASN}", "given: {status: 7}",
        "status: 7",
        "is not text; put it in quotes",
    ),
    "a list where a mapping belongs": (
        SUPERVISION, "given: {status: ASN}", "given: [status]",
        "given: [status",
        "is not a mapping; write name: value",
    ),
    "a text where a list belongs": (
        SUPERVISION, "basis: [uu-5-2014]", "basis: uu-5-2014",
        "basis: uu-5-2014",
        "is not a list; write [a, b]",
    ),
    "a text where true or false belongs": (
        LAST, "repealed: true", "repealed: yes",
        "repealed",
        "is neither true nor false",
    ),
    "a day that does not exist": (
        SUPERVISION, "from: 2020-09-10", "from: 2020-09-31",
        "from: 2020-09-31",
        "'2020-09-31' is not a day of the calendar; write YYYY-MM-DD",
    ),
    "a history out of order": (
        SUPERVISION, "from: 2014-01-15", "from: 2020-09-11",
        "from: 2020-09-10",
        "version from 2020-09-10 of 'asn.supervisor' does not follow 2020-09-11;"
        " order the history by day",
    ),
    "a version without basis": (
        SUPERVISION, "        basis: [uu-5-2014]\n", "",
        "from: 2014-01-15",
        "version from 2014-01-15 cites no legal basis; add basis",
    ),
    "a version with an empty basis": (
        SUPERVISION, "basis: [uu-5-2014]", "basis: []",
        "from: 2014-01-15",
        "version from 2014-01-15 cites no legal basis; add basis",
    ),
    "a condition that nothing can meet": (
        SUPERVISION, "given: {status: ASN}", "given: {status: []}",
        "status: [",
        "accepts no value of status; name one, or leave status out to accept any",
    ),
    "a version both repealed and expected": (
        SUPERVISION, "        expected: true\n", "        expected: true\n        repealed: true\n",
        "from: 2027-10-16",
        "is both repealed and expected; write one of the two",
    ),
    "a source superseded by nothing known": (
        "book.yaml", "superseded_by: uu-20-2023", "superseded_by: uu-20-2024",
        "uu-5-2014",
        "is superseded by unknown 'uu-20-2024'; did you mean 'uu-20-2023'?",
    ),
    "an unknown source": (
        SUPERVISION, "basis: [uu-5-2014]", "basis: [uu-5-2015]",
        "uu-5-2015",
        "'uu-5-2015' is not a source of this rulebook; did you mean 'uu-5-2014'?",
    ),
    "a citation before its life": (
        SUPERVISION, "basis: [uu-5-2014]", "basis: [uu-20-2023]",
        "from: 2014-01-15",
        "'asn.supervisor' from 2014-01-15 cites uu-20-2023, in force only from 2023-10-31;"
        " cite what was in force or begin later",
    ),
    "a citation after its life": (
        SUPERVISION, 'basis: [skb-2022, "uu-20-2023#70(3)"]', "basis: [skb-2022, uu-5-2014]",
        "from: 2023-10-31",
        "'asn.supervisor' from 2023-10-31 cites uu-5-2014, not in force since 2023-10-31"
        " (superseded by uu-20-2023); add a version from that day",
    ),
    "an exception to an unknown rule": (
        INTAKE, "exception_to: [", "exception_to: [bawaslu.recieves, ",
        "id: satgas.checks.bawaslu",
        "exception to unknown rule 'bawaslu.recieves'; did you mean 'bawaslu.receives'?",
    ),
    "a rule id used twice": (
        LAST, "id: ppk.silent.centre-copy", "id: ppk.silent.ministry-copy",
        "id: ppk.silent.ministry-copy",
        "rule 'ppk.silent.ministry-copy' stands 2 times; give each rule an own id",
    ),
    "a YAML key written twice": (
        SUPERVISION, GIVEN, GIVEN + "    given: {status: PNS}\n",
        "given: {status: PNS",
        "found duplicate key \"given\" with value \"{'status': 'PNS'}\""
        " (original value: \"{'status': 'ASN'}\"); mend the line",
    ),
    "a bracket that is not closed": (
        SUPERVISION, "given: {status: ASN}", "given: {status: ASN",
        ": handling",
        "expected ',' or '}', but got ':'; mend the line",
    ),
    "a tab": (
        SUPERVISION, GIVEN, GIVEN.replace("    ", "\t"),
        "\tgiven",
        "found character '\\t' that cannot start any token; mend the line",
    ),
    "an alias without anchor": (
        SUPERVISION, "assign: *kasn", "assign: *kasnn",
        "*kasnn",
        "found undefined alias 'kasnn'; mend the line",
    ),
    "an anchor that stands twice": (
        SUPERVISION, GIVEN, GIVEN.replace("given: ", "given: &kasn "),
        "&kasn {agency",
        "found duplicate anchor 'kasn'; mend the line",
    ),
    "an unknown agency": (
        SUPERVISION, KASN, KASN.replace("KASN,", "KASM,"),
        "agency: KASM",
        "'KASM' is not an agency; did you mean 'KASN'?",
    ),
    "an unknown role": (
        SUPERVISION, KASN, KASN.replace("ACTION", "ACTON"),
        "role: ACTON",
        "'ACTON' is not a role; did you mean 'ACTION'?",
    ),
    "an unknown office": (
        SUPERVISION, KASN, KASN.replace("CENTRE", "CENTER"),
        "office: CENTER",
        "'CENTER' is not an office; did you mean 'CENTRE'?",
    ),
    "an unknown trigger": (
        SUPERVISION, KASN, KASN.replace("BREACH", "BREECH"),
        'when: "STUDY_CONCLUDED:BREECH',
        "'STUDY_CONCLUDED:BREECH' is not a trigger;"
        " did you mean 'STUDY_CONCLUDED:BREACH'?",
    ),
    "an unknown clock": (
        SUPERVISION, "by: handling", "by: handeling",
        "by: handeling",
        "'handeling' is not a clock; did you mean 'handling'?",
    ),
    "a malformed deadline": (
        INTAKE, LIMIT, "deadline: 7 days",
        "deadline: 7 days",
        "is not a deadline; write for example 14 WORKING_DAY since SUPERVISOR_CONCLUDED",
    ),
    "an unknown unit of a deadline": (
        INTAKE, LIMIT, LIMIT.replace("CALENDAR", "CALENDER"),
        "deadline: 7 CALENDER_DAY",
        "'CALENDER_DAY' is not a unit; did you mean 'CALENDAR_DAY'?",
    ),
    "a deadline since nothing known": (
        INTAKE, LIMIT, LIMIT.replace("KNOWN", "KNOW"),
        "deadline: 7 CALENDAR_DAY since KNOW",
        "'KNOW' is not an event a deadline can start from; did you mean 'KNOWN'?",
    ),
    "a version that says nothing": (
        LAST, SILENT, "{from: 2014-01-15, basis: [praktik]}",
        "{from: 2014-01-15, basis: [praktik]}",
        "says nothing; give it assign, class or review, or write repealed: true",
    ),
    "a version that is not repealed and says nothing else": (
        LAST, SILENT, "{from: 2014-01-15, basis: [praktik], repealed: false}",
        "{from: 2014-01-15, basis: [praktik], repealed: false}",
        "says nothing; give it assign, class or review, or write repealed: true",
    ),
    "a version that is not expected and says nothing else": (
        LAST, SILENT, "{from: 2014-01-15, basis: [praktik], expected: false}",
        "{from: 2014-01-15, basis: [praktik], expected: false}",
        "says nothing; give it assign, class or review, or write repealed: true",
    ),
    "an unknown field": (
        SUPERVISION, "        basis: [uu-5-2014]\n", "        bassis: x\n        basis: [uu-5-2014]\n",
        "bassis",
        "'bassis' is not known here; did you mean 'basis'?",
    ),
    "a missing field": (
        SUPERVISION, "    by: handling\n", "",
        "id: asn.supervisor",
        "'by' is missing; add it",
    ),
    "an unknown kind of note": (
        LAST, "kind: not-established", "kind: not-establishd",
        "kind: not-establishd",
        "'not-establishd' is not a kind of note; did you mean 'not-established'?",
    ),
    "a source with a day that does not exist": (
        "book.yaml", "from: 2014-01-15, until", "from: 2014-13-15, until",
        "from: 2014-13-15",
        "'2014-13-15' is not a day of the calendar; write YYYY-MM-DD",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the rulebook in use."""
    return Path(shutil.copytree(HERE, tmp_path / "rulebook"))


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(BrokenRulebook) as broken:
        load_rulebook(folder)
    return [str(fault) for fault in broken.value.faults]


def change(folder: Path, file: str, right: str, wrong: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert right in text, f"{file} no longer holds {right!r}; break something else"
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")


def place(folder: Path, file: str, at: str) -> str:
    """`file:line:column` of the first `at` in a file."""
    before, found, _ = (folder / file).read_text(encoding="utf-8").partition(at)
    assert found, f"{file} does not hold {at!r}"
    return f"{file}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def test_the_rulebook_in_use_has_no_mistake(folder: Path) -> None:
    assert load_rulebook(folder).digest == load_rulebook().digest


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named_with_its_place_and_its_cure(mistake: str, folder: Path) -> None:
    file, right, wrong, at, says = MISTAKES[mistake]
    change(folder, file, right, wrong)
    assert f"{place(folder, file, at)}: {says}" in faults_of(folder)


@pytest.mark.parametrize(
    "text", ["[" * 3000, "a: !!int x", "a: !!bool x", "a: !!int ''", "a: " + "9" * 5000, 'a: "\\U00110000"']
)
def test_what_the_yaml_library_stumbles_over_is_a_mistake_of_the_file(text: str) -> None:
    faults: list[RuleFault] = []
    read("x.yaml", text.encode(), faults)
    (fault,) = faults
    assert str(fault).startswith("x.yaml:1:1: holds a tag")


def test_a_version_that_is_neither_repealed_nor_expected_may_say_so(folder: Path) -> None:
    change(folder, LAST, SILENT, SILENT.replace("assign:", "repealed: false, expected: false, assign:"))
    assert load_rulebook(folder).rules == load_rulebook().rules


def test_a_circle_of_exceptions_is_named_at_every_rule_of_it(folder: Path) -> None:
    head = "  - id: bawaslu.receives\n"
    change(folder, INTAKE, head, head + "    exception_to: [satgas.checks.bawaslu]\n")
    assert set(faults_of(folder)) == {
        f"{place(folder, INTAKE, f'id: {name}')}: '{name}' is an exception to itself through others;"
        " remove one exception_to"
        for name in ("bawaslu.receives", "satgas.checks.bawaslu")
    }


def test_several_mistakes_are_told_at_once_in_order_of_place(folder: Path) -> None:
    change(folder, CRIME, VILLAGE, VILLAGE.replace("status", "statsu"))
    change(folder, SUPERVISION, KASN, KASN.replace("ACTION", "ACTON"))
    change(folder, SUPERVISION, "by: handling", "by: handeling")
    assert [fault.split(": ")[0] for fault in faults_of(folder)] == [
        place(folder, SUPERVISION, "by: handeling"),
        place(folder, SUPERVISION, "role: ACTON"),
        place(folder, CRIME, "statsu"),
    ]


def test_a_mistake_in_a_shared_block_is_told_once_at_the_block(folder: Path) -> None:
    change(folder, SUPERVISION, KASN, KASN.replace("ACTION", "ACTON"))
    assert len(faults_of(folder)) == 1


def test_a_folder_without_a_cover_is_no_rulebook(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert faults_of(folder) == ["empty: book.yaml is missing; every rulebook has one"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"# \xc3\xa9\nrules: \xff", "20-supervision.yaml:2:8: is not UTF-8; save the file as UTF-8"),
        (
            b"# \xc3\xa9\nrules: \x01",
            "20-supervision.yaml:2:8: holds a character that is not text; delete it",
        ),
        (
            b"rules: [",
            "20-supervision.yaml:1:9: expected the node content, but found '<stream end>'; mend the line",
        ),
        (b"", "20-supervision.yaml:1:1: 'rules' is missing; add it"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault(raw: bytes, message: str, folder: Path) -> None:
    (folder / SUPERVISION).write_bytes(raw)
    assert [fault for fault in faults_of(folder) if fault.startswith(SUPERVISION)] == [message]


def test_a_missing_field_hides_no_other_mistake_and_makes_none(folder: Path) -> None:
    change(folder, SUPERVISION, "    by: handling\n", "")
    change(folder, SUPERVISION, KASN, KASN.replace("ACTION", "ACTON"))
    assert [fault.split(": ")[0] for fault in faults_of(folder)] == [
        place(folder, SUPERVISION, "id: asn.supervisor"),
        place(folder, SUPERVISION, "role: ACTON"),
    ]
