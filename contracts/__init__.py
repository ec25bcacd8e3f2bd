"""What crosses a service boundary, and nothing else: pydantic, the standard library and package data."""
