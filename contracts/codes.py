"""The closed vocabularies of the contract. Codes that name an Indonesian institution stay in its own words."""

from enum import StrEnum


class ElectionKind(StrEnum):
    PEMILU = "PEMILU"
    PILKADA = "PILKADA"


class ElectionOffice(StrEnum):
    PRESIDEN = "PRESIDEN"
    DPR = "DPR"
    DPD = "DPD"
    DPRD_PROVINSI = "DPRD_PROVINSI"
    DPRD_KABKOTA = "DPRD_KABKOTA"
    GUBERNUR = "GUBERNUR"
    BUPATI = "BUPATI"
    WALI_KOTA = "WALI_KOTA"


class Status(StrEnum):
    """Who the reported person is; only the first three and `PJ_KEPALA_DAERAH` are civil servants (ASN)."""

    PNS = "PNS"
    CPNS = "CPNS"
    PPPK = "PPPK"
    NON_ASN = "NON_ASN"
    KEPALA_DESA = "KEPALA_DESA"
    PERANGKAT_DESA = "PERANGKAT_DESA"
    ANGGOTA_BPD = "ANGGOTA_BPD"
    TNI = "TNI"
    POLRI = "POLRI"
    PEGAWAI_BUMN = "PEGAWAI_BUMN"
    PEGAWAI_BUMD = "PEGAWAI_BUMD"
    KEPALA_DAERAH = "KEPALA_DAERAH"
    PJ_KEPALA_DAERAH = "PJ_KEPALA_DAERAH"
    PENYELENGGARA_PEMILU = "PENYELENGGARA_PEMILU"
    PENDAMPING_SOSIAL = "PENDAMPING_SOSIAL"
    UNKNOWN = "UNKNOWN"


class PostKind(StrEnum):
    STRUKTURAL = "STRUKTURAL"
    FUNGSIONAL = "FUNGSIONAL"
    PELAKSANA = "PELAKSANA"
    UNKNOWN = "UNKNOWN"


class Post(StrEnum):
    """The posts the rules tell apart; anything else a reporter writes is `OTHER` and stays in the vault."""

    CAMAT = "CAMAT"
    LURAH = "LURAH"
    SEKDA = "SEKDA"
    KEPALA_DINAS = "KEPALA_DINAS"
    KEPALA_SEKOLAH = "KEPALA_SEKOLAH"
    GURU = "GURU"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class EmployerKind(StrEnum):
    PUSAT = "PUSAT"
    PROVINSI = "PROVINSI"
    KABUPATEN = "KABUPATEN"
    KOTA = "KOTA"
    DESA = "DESA"
    BUMN = "BUMN"
    BUMD = "BUMD"
    UNKNOWN = "UNKNOWN"


class Act(StrEnum):
    DISPLAY_MATERIAL = "DISPLAY_MATERIAL"
    SOCIAL_MEDIA_CAMPAIGN = "SOCIAL_MEDIA_CAMPAIGN"
    SOCIAL_MEDIA_ENGAGEMENT = "SOCIAL_MEDIA_ENGAGEMENT"
    ATTEND_DECLARATION = "ATTEND_DECLARATION"
    PHOTO_WITH_CANDIDATE = "PHOTO_WITH_CANDIDATE"
    JOIN_CAMPAIGN = "JOIN_CAMPAIGN"
    SPOUSE_CAMPAIGN = "SPOUSE_CAMPAIGN"
    APPROACH_PARTY = "APPROACH_PARTY"
    PARTY_MEMBERSHIP = "PARTY_MEMBERSHIP"
    PARTISAN_ACTIVITY = "PARTISAN_ACTIVITY"
    CAMPAIGN_TEAM = "CAMPAIGN_TEAM"
    SUPPORT_LETTER = "SUPPORT_LETTER"
    FAVOURING_DECISION = "FAVOURING_DECISION"
    STATE_FACILITIES = "STATE_FACILITIES"
    MOBILISE_STAFF = "MOBILISE_STAFF"
    ROTATE_OFFICIALS = "ROTATE_OFFICIALS"
    IGNORE_RECOMMENDATION = "IGNORE_RECOMMENDATION"
    OTHER = "OTHER"


class Beneficiary(StrEnum):
    BAKAL_CALON = "BAKAL_CALON"
    CALON = "CALON"
    PARTAI = "PARTAI"
    SELF = "SELF"
    SPOUSE = "SPOUSE"
    NONE = "NONE"
    UNKNOWN = "UNKNOWN"


class ReporterKind(StrEnum):
    VOTER = "VOTER"
    PARTICIPANT = "PARTICIPANT"
    MONITOR = "MONITOR"
    AGENCY = "AGENCY"
    ANONYMOUS = "ANONYMOUS"


class Channel(StrEnum):
    WEB = "WEB"
    API = "API"
    IMPORT = "IMPORT"
    SBT = "SBT"
    SIGAPLAPOR = "SIGAPLAPOR"
    LAPOR = "LAPOR"


class Agency(StrEnum):
    BAWASLU = "BAWASLU"
    KASN = "KASN"
    BKN = "BKN"
    KEMENDAGRI = "KEMENDAGRI"
    KEMENPANRB = "KEMENPANRB"
    PPK = "PPK"
    GAKKUMDU = "GAKKUMDU"
    KPU = "KPU"
    PEMDA = "PEMDA"
    POM_TNI = "POM_TNI"
    POLRI = "POLRI"
    EMPLOYER = "EMPLOYER"
    SP4N_LAPOR = "SP4N_LAPOR"
    DKPP = "DKPP"


class Role(StrEnum):
    """`ACTION` must do something, `INFORMATION` may see it, `COPY` (tembusan) is sent it."""

    ACTION = "ACTION"
    COPY = "COPY"
    INFORMATION = "INFORMATION"


class Stage(StrEnum):
    BEFORE_DESIGNATION = "BEFORE_DESIGNATION"
    AFTER_DESIGNATION = "AFTER_DESIGNATION"
    CAMPAIGN = "CAMPAIGN"
    QUIET = "QUIET"
    POLLING = "POLLING"
    AFTER_POLLING = "AFTER_POLLING"
    OUTSIDE = "OUTSIDE"


class ViolationClass(StrEnum):
    """The annex class, in rising gravity; information, never a prediction of the sanction."""

    NOT_ASN = "NOT_ASN"
    UNDETERMINED = "UNDETERMINED"
    KODE_ETIK = "KODE_ETIK"
    DISIPLIN_SEDANG = "DISIPLIN_SEDANG"
    DISIPLIN_BERAT = "DISIPLIN_BERAT"
    PEMBERHENTIAN = "PEMBERHENTIAN"


class Track(StrEnum):
    LAPORAN = "LAPORAN"
    INFORMASI_AWAL = "INFORMASI_AWAL"


class Defect(StrEnum):
    LATE = "LATE"
    REPORTER_NAME = "REPORTER_NAME"
    REPORTER_ADDRESS = "REPORTER_ADDRESS"
    NO_EVIDENCE = "NO_EVIDENCE"
    PERSON_UNIDENTIFIED = "PERSON_UNIDENTIFIED"


class DeadlineUnit(StrEnum):
    WORKING_DAY = "WORKING_DAY"
    CALENDAR_DAY = "CALENDAR_DAY"
    HOUR = "HOUR"


class ProgressEvent(StrEnum):
    SATGAS_VERIFIED = "SATGAS_VERIFIED"
    STUDY_CONCLUDED = "STUDY_CONCLUDED"
    GAKKUMDU_CONCLUDED = "GAKKUMDU_CONCLUDED"
    SUPERVISOR_CONCLUDED = "SUPERVISOR_CONCLUDED"
    PPK_CONCLUDED = "PPK_CONCLUDED"
    IDENTIFIED = "IDENTIFIED"
    WITHDRAWN = "WITHDRAWN"
    TRANSFERRED = "TRANSFERRED"
    LEFT_SERVICE = "LEFT_SERVICE"


RESULTS: dict[ProgressEvent, tuple[str, ...]] = {
    ProgressEvent.SATGAS_VERIFIED: ("VALID", "INVALID"),
    ProgressEvent.STUDY_CONCLUDED: ("BREACH", "NO_BREACH", "NOT_REGISTERED", "REPAIR_NEEDED"),
    ProgressEvent.GAKKUMDU_CONCLUDED: ("ELEMENTS_MET", "ELEMENTS_NOT_MET"),
    ProgressEvent.SUPERVISOR_CONCLUDED: ("RECOMMENDED", "NOT_PROVEN", "RETURNED"),
    ProgressEvent.PPK_CONCLUDED: ("SANCTIONED", "SILENT", "WRONG_SANCTION"),
    ProgressEvent.IDENTIFIED: (),
    ProgressEvent.WITHDRAWN: (),
    ProgressEvent.TRANSFERRED: (),
    ProgressEvent.LEFT_SERVICE: (),
}
"""The results each progress event may carry; an empty tuple means the event stands alone."""

OPENED = "OPENED"
TRIGGERS: frozenset[str] = frozenset(
    {OPENED}
    | {f"{event}:{result}" for event, results in RESULTS.items() for result in results}
    | {str(event) for event, results in RESULTS.items() if not results}
)
"""Every value `when` may take."""

ASN_STATUSES = frozenset({Status.PNS, Status.CPNS, Status.PPPK, Status.PJ_KEPALA_DAERAH})
