"""The judge is loaded once: it is immutable."""

import pytest

from services.routing.core.decide import Judge
from tests.packaged import packaged_judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    return packaged_judge()
