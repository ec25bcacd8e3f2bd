"""The agencies: their directory, their keys, and what each may see."""
