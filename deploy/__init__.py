"""How Netral is run: streams declared from the contracts, and the whole system on one machine."""
