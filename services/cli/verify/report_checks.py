"""Checks over all reports: each was accepted once, belongs to one case, and resembles reports that there are."""

from collections.abc import Iterator

from services.cli.verify.findings import Finding
from services.cli.verify.logbook import Logbook
from services.cli.verify.match_checks import check_resembling


def check_reports(book: Logbook) -> Iterator[Finding]:
    """A report belongs to one case, whichever events name it."""
    twice = "SELECT report_id, count(*) FROM reports GROUP BY report_id HAVING count(*) > 1"
    for report_id, count in book.db.execute(twice):
        yield Finding("accepted-twice", report_id, f"was accepted {count} times")
    several = """SELECT report_id, group_concat(case_id, ' and ') FROM
        (SELECT DISTINCT json_extract(data, '$.report_id') AS report_id, case_id FROM events
         WHERE kind IN ('reports', 'decided') ORDER BY case_id)
        GROUP BY report_id HAVING count(*) > 1"""
    for report_id, cases in book.db.execute(several):
        yield Finding("report-in-two-cases", report_id, f"is in the cases {cases}")
    yield from check_resembling(book)
