"""The time zone of a portfolio: as declared, or that of a country that has one."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Countries (ISO) whose people all live in one zone, far islands left aside.
_ZONES = {
    zone: countries.split()
    for zone, countries in {
        "Europe/Berlin": "DE",
        "Europe/Vienna": "AT",
        "Europe/Zurich": "CH LI",
        "Europe/Paris": "FR",
        "Europe/Brussels": "BE",
        "Europe/Amsterdam": "NL",
        "Europe/Luxembourg": "LU",
        "Europe/Rome": "IT SM",
        "Europe/London": "GB",
        "Europe/Dublin": "IE",
        "Europe/Stockholm": "SE",
        "Europe/Oslo": "NO",
        "Europe/Copenhagen": "DK",
        "Europe/Helsinki": "FI",
        "Europe/Tallinn": "EE",
        "Europe/Riga": "LV",
        "Europe/Vilnius": "LT",
        "Europe/Warsaw": "PL",
        "Europe/Prague": "CZ",
        "Europe/Bratislava": "SK",
        "Europe/Budapest": "HU",
        "Europe/Bucharest": "RO",
        "Europe/Sofia": "BG",
        "Europe/Athens": "GR",
        "Europe/Belgrade": "RS",
        "Europe/Zagreb": "HR",
        "Europe/Ljubljana": "SI",
        "Europe/Istanbul": "TR",
        "Asia/Jerusalem": "IL",
        "Asia/Dubai": "AE",
        "Asia/Riyadh": "SA",
        "Asia/Kolkata": "IN",
        "Asia/Shanghai": "CN",
        "Asia/Taipei": "TW",
        "Asia/Hong_Kong": "HK",
        "Asia/Singapore": "SG",
        "Asia/Tokyo": "JP",
        "Asia/Seoul": "KR",
        "Asia/Manila": "PH",
        "Asia/Bangkok": "TH",
        "Asia/Ho_Chi_Minh": "VN",
        "Asia/Kuala_Lumpur": "MY",
        "Africa/Johannesburg": "ZA",
        "Africa/Cairo": "EG",
        "Africa/Lagos": "NG",
        "Africa/Nairobi": "KE",
        "America/Bogota": "CO",
        "America/Lima": "PE",
    }.items()
}
_ZONE_OF = {code: zone for zone, codes in _ZONES.items() for code in codes}


def is_zone(name: str) -> bool:
    """Return whether a time zone of this name is known."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def home_zone(declared: str, country: str) -> str:
    """Return the zone that times with an offset are moved to, "" = not known.

    Parameters
    ----------
    declared
        As in `[calendar] timezone`.
    country
        As in `[calendar] country`: `DE`, `DEU`, `Germany`, `DE-BY`.
    """
    if declared:
        return declared
    if not country:
        return ""
    from pmo_analytics.clock import find_country

    place = find_country(country)
    return _ZONE_OF.get(place[0], "") if place is not None else ""
