"""The words of the letters, Indonesian first: agencies, offices, roles, limits and days."""

from datetime import datetime
from typing import NamedTuple

from contracts import regions
from contracts.codes import Agency, DeadlineUnit, Role
from contracts.decision import Deadline


class Both(NamedTuple):
    """A text in Indonesian and in English."""

    id: str
    en: str


AGENCIES = {
    Agency.BAWASLU: Both("Badan Pengawas Pemilihan Umum (Bawaslu)", "Election Supervisory Agency (Bawaslu)"),
    Agency.KASN: Both("Komisi Aparatur Sipil Negara (KASN)", "Civil Service Commission (KASN)"),
    Agency.BKN: Both("Badan Kepegawaian Negara (BKN)", "National Civil Service Agency (BKN)"),
    Agency.KEMENDAGRI: Both("Kementerian Dalam Negeri", "Ministry of Home Affairs"),
    Agency.KEMENPANRB: Both("Kementerian PANRB", "Ministry of Administrative and Bureaucratic Reform"),
    Agency.PPK: Both("Pejabat Pembina Kepegawaian (PPK)", "Personnel Development Official (PPK)"),
    Agency.GAKKUMDU: Both("Sentra Gakkumdu", "Integrated Law Enforcement Centre (Gakkumdu)"),
    Agency.KPU: Both("Komisi Pemilihan Umum (KPU)", "General Elections Commission (KPU)"),
    Agency.PEMDA: Both("Pemerintah Daerah", "Regional Government"),
    Agency.POM_TNI: Both("Polisi Militer TNI", "Military Police (POM TNI)"),
    Agency.POLRI: Both("Kepolisian Negara Republik Indonesia", "Indonesian National Police"),
    Agency.EMPLOYER: Both("Instansi tempat bekerja", "The employer"),
    Agency.SP4N_LAPOR: Both("SP4N-LAPOR!", "SP4N-LAPOR!"),
    Agency.DKPP: Both(
        "Dewan Kehormatan Penyelenggara Pemilu (DKPP)", "Honorary Council of Election Organisers (DKPP)"
    ),
}
ROLES = {
    Role.ACTION: Both("Untuk ditindaklanjuti", "To act on"),
    Role.COPY: Both("Tembusan", "Copy"),
    Role.INFORMATION: Both("Untuk diketahui", "For information"),
}
OFFER_SUBJECTS = {
    Role.ACTION: Both("Laporan baru untuk ditindaklanjuti", "New report to act on"),
    Role.COPY: Both("Tembusan laporan baru", "Copy of a new report"),
    Role.INFORMATION: Both("Laporan baru untuk diketahui", "New report for information"),
}
_UNITS = {
    DeadlineUnit.WORKING_DAY: Both("hari kerja", "working day"),
    DeadlineUnit.CALENDAR_DAY: Both("hari kalender", "calendar day"),
    DeadlineUnit.HOUR: Both("jam", "hour"),
}
_SINCE = {
    "KNOWN": Both("sejak peristiwa diketahui pelapor", "from the day the reporter learned of the event"),
    "REPORTED": Both("sejak laporan disampaikan", "from the day of the report"),
    "OPENED": Both("sejak kasus dibuka", "from the opening of the case"),
    "SATGAS_VERIFIED": Both("sejak verifikasi Satgas", "from the verification by the task force"),
    "STUDY_CONCLUDED": Both("sejak kajian Bawaslu selesai", "from the end of Bawaslu's study"),
    "GAKKUMDU_CONCLUDED": Both("sejak pembahasan Gakkumdu selesai", "from the conclusion of Gakkumdu"),
    "SUPERVISOR_CONCLUDED": Both("sejak rekomendasi pengawas ASN", "from the supervisor's recommendation"),
    "PPK_CONCLUDED": Both(
        "sejak keputusan atau lewatnya batas waktu PPK", "from the decision or silence of the PPK"
    ),
    "IDENTIFIED": Both("sejak identitas dipastikan", "from the day the identity was established"),
}
_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def place(region: str) -> str:
    """The official name of a region; an unknown code stands for itself."""
    try:
        return regions.name_of(region)
    except KeyError:
        return region


def office_of(agency: Agency, office: str | None) -> Both:
    """An agency and its office, as one writes on an envelope."""
    name = AGENCIES[agency]
    if office is None:
        return name
    if office == "pusat":
        return Both(f"{name.id}, Pusat", f"{name.en}, national office")
    try:
        label = regions.label_of(office)
    except KeyError:
        label = office
    return Both(f"{name.id}, {label}", f"{name.en}, {label}")


def limit(deadline: Deadline | None) -> Both | None:
    """A deadline in words: how long and since when."""
    if deadline is None:
        return None
    unit, many = _UNITS[deadline.unit], "" if deadline.count == 1 else "s"
    since = _SINCE.get(deadline.since, Both(f"sejak {deadline.since}", f"from {deadline.since}"))
    return Both(f"{deadline.count} {unit.id} {since.id}", f"{deadline.count} {unit.en}{many} {since.en}")


def moment(at: datetime, region: str) -> Both:
    """An instant by the clock of the place: `24 November 2026 pukul 10.00 WIB`."""
    try:
        local, zone = at.astimezone(regions.zone_of(region)), regions.find(region).zone
    except KeyError:
        local, zone = at.astimezone(regions.zone_of("kemendagri:31")), "WIB"
    month = local.month - 1
    return Both(
        f"{local.day} {_MONTHS[month]} {local.year} pukul {local:%H.%M} {zone}",
        f"{local.day} {_MONTHS_EN[month]} {local.year}, {local:%H:%M} {zone}",
    )
