"""The words of the letters, Indonesian first: agencies, offices, roles, limits and days."""

from datetime import date, datetime
from typing import NamedTuple

from contracts import regions
from contracts.codes import Agency, DeadlineUnit, Role
from contracts.decision import Deadline
from contracts.webhooks import AlarmKind


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
SUBJECTS = {
    "received": Both("Laporan diterima", "Report received"),
    "routed": Both("Laporan diteruskan", "Report passed on"),
    "status": Both("Perkembangan laporan", "News of your report"),
    "repair": Both("Laporan perlu dilengkapi", "Report to be completed"),
    "recommended": Both("Rekomendasi menunggu tindak lanjut", "Recommendation awaits follow-up"),
    "returned": Both("Kasus dikembalikan", "Case given back"),
    "asked": Both("Permintaan menerima pelimpahan", "Request to take a case over"),
    "silent": Both("Tindak lanjut diperlukan", "Follow-up needed"),
    "progress": Both("Perkembangan kasus", "News of a case"),
    "reminder": Both("Pengingat batas waktu", "Reminder of a time limit"),
    "overdue": Both("Batas waktu telah lewat", "Time limit passed"),
    "webhook": Both("Webhook kantor Saudara bermasalah", "Your office's webhook is in trouble"),
    "digest": Both("Rangkuman pemberitahuan", "Digest of notices"),
}
"""By the kind of letter; that of an offer depends on the role."""
NEWS = {
    "SATGAS_VERIFIED:INVALID": Both("belum lolos verifikasi Satgas", "not verified by the task force yet"),
    "STUDY_CONCLUDED:BREACH": Both(
        "kajian Bawaslu selesai; diteruskan untuk tindak lanjut",
        "Bawaslu's study is finished; passed on for follow-up",
    ),
    "STUDY_CONCLUDED:NO_BREACH": Both("tidak terbukti menurut kajian", "not proven by the study"),
    "STUDY_CONCLUDED:NOT_REGISTERED": Both("tidak diregistrasi", "not registered"),
    "SUPERVISOR_CONCLUDED:RECOMMENDED": Both(
        "rekomendasi diberikan; menunggu tindak lanjut pejabat yang berwenang",
        "a recommendation was given; the competent official's follow-up is awaited",
    ),
    "SUPERVISOR_CONCLUDED:NOT_PROVEN": Both(
        "tidak terbukti menurut pengawas ASN", "not proven to the supervisor of the civil service"
    ),
    "SUPERVISOR_CONCLUDED:RETURNED": Both("dikembalikan pengawas ASN", "returned by the supervisor"),
    "PPK_CONCLUDED:SANCTIONED": Both("sudah ditindaklanjuti", "followed up"),
    "PPK_CONCLUDED:SILENT": Both(
        "tindak lanjut lewat batas waktu; diteruskan kepada pihak yang lebih tinggi",
        "the follow-up is overdue; passed on to a higher body",
    ),
    "PPK_CONCLUDED:WRONG_SANCTION": Both("tindak lanjut perlu diperbaiki", "the follow-up needs correction"),
    "WITHDRAWN": Both("dibatalkan pelapor", "withdrawn by the reporter"),
    "TRANSFERRED": Both("terlapor berpindah instansi", "the reported person changed employer"),
    "LEFT_SERVICE": Both("terlapor tidak lagi berdinas", "the reported person left the service"),
    "ACCEPT": Both("ditangani kantor lain yang berwenang", "handled by another competent office"),
    "RETURN": Both("dikembalikan untuk ditangani kembali", "given back to be handled again"),
    "DONE": Both("penanganan selesai", "handling finished"),
}
"""What happened, in words that presume innocence and name no sanction and no person."""
TROUBLES = {
    AlarmKind.GONE: Both(
        "menjawab 410 (sudah tidak ada); pengiriman dihentikan",
        "it answered 410 (gone); nothing is sent there any more",
    ),
    AlarmKind.REFUSED: Both(
        "menolak kiriman (4xx), sering kali karena kredensial kedaluwarsa; masih dicoba",
        "it refuses what is sent (4xx), often because a credential has lapsed; we go on trying",
    ),
    AlarmKind.FORBIDDEN: Both(
        "mengarah ke alamat jaringan yang tidak diizinkan",
        "it leads to a network address that is not allowed",
    ),
    AlarmKind.PARKED: Both(
        "sebagian besar kiriman gagal; hanya dicoba sesekali",
        "most calls fail; it is only probed now and then",
    ),
    AlarmKind.HELD: Both(
        "satu kiriman gagal sampai percobaan terakhir dan disimpan",
        "a delivery failed to its last try and is held",
    ),
    AlarmKind.SUSPENDED: Both(
        "gagal selama lima hari; pengiriman dihentikan",
        "it failed for five days; nothing is sent there any more",
    ),
}
"""What is the matter with a webhook, by its alarm."""
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


def news(event: str | None) -> Both:
    """What happened to a case, in words."""
    return NEWS.get(event or "", Both("ada perkembangan", "there is news"))


def trouble(event: str | None) -> Both:
    """What is the matter with a webhook, in words; `event` is an alarm as the matrix names it."""
    return TROUBLES[AlarmKind((event or "").partition(":")[2])]


def day(at: date | None) -> Both | None:
    """A day as one writes it in a letter: `24 November 2026`."""
    if at is None:
        return None
    return Both(
        f"{at.day} {_MONTHS[at.month - 1]} {at.year}", f"{at.day} {_MONTHS_EN[at.month - 1]} {at.year}"
    )


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
