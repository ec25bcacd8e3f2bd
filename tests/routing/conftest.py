"""The judge is loaded once: it is immutable."""

import pytest

from services.routing.deciding import Judge, load_judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    return load_judge()
