"""Which office of an agency: `pusat`, `prov:PP`, `kabkota:PP.KK`, or None where it follows from something unknown."""

from contracts import regions
from contracts.codes import EmployerKind
from services.routing.core.situation import Place

_OF_A_REGENCY = {EmployerKind.KABUPATEN, EmployerKind.KOTA, EmployerKind.DESA}


def office_of(kind: str, employer: EmployerKind, region: str | None, place: Place) -> str | None:
    """The office a rule means, for a person whose unit of this kind of employer sits in `region`.

    Place of the event first (skb.md 7.1); province where rank or several regencies say so.
    """
    match kind:
        case "PLACE":
            regency = None if place.provincial else place.regency
            return f"kabkota:{regency}" if regency else f"prov:{place.province}"
        case "CENTRE":
            return "pusat"
        case "EMPLOYER":
            return _employer(employer, region)
        case "HOME" | "WORKPLACE":
            return _local(region)
        case "REGIONAL":
            return f"prov:{regions.province_of(region) if region else place.province}"
    return None


def _employer(employer: EmployerKind, region: str | None) -> str | None:
    """The office of the employer's head: `PUSAT` is central wherever the unit sits (R42)."""
    if employer is EmployerKind.PUSAT:
        return "pusat"
    if region is None:
        return None
    if employer is EmployerKind.PROVINSI:
        return f"prov:{regions.bare(region)[:2]}"
    if employer in _OF_A_REGENCY:
        return None if regions.is_province(region) else _local(region)
    return _local(region) if employer is EmployerKind.BUMD else None


def _local(region: str | None) -> str | None:
    if region is None:
        return None
    bare = regions.bare(region)
    return f"prov:{bare}" if regions.is_province(region) else f"kabkota:{bare}"
