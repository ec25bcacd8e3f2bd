"""The judge is loaded once: it is immutable."""

import gc
from collections.abc import Iterator

import pytest

from services.routing.core.decide import Judge
from tests.packaged import packaged_judge


@pytest.fixture(scope="session")
def judge() -> Judge:
    return packaged_judge()


@pytest.fixture
def buried() -> Iterator[None]:
    """Tasks that died with their process are collected here: within another test's `ast.parse` Python 3.11 fails by it."""
    yield
    gc.collect()
