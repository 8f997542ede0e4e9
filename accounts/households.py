"""Network addresses as whom they are of, for whatever counts what comes from one."""

from ipaddress import IPv4Address, IPv6Network, ip_address

# One household has as many IPv6 addresses as it likes, all with the same first bits.
HOUSEHOLD_BITS = 64


def household_of(address: str) -> str:
    """Return what a network address counts as: itself, or all that an IPv6 household has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), HOUSEHOLD_BITS), strict=False))
