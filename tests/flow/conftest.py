"""The judge is loaded once: it is immutable."""

import pytest

from services.routing.core.decide import Judge
from services.routing.deciding import load_judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    return load_judge()
