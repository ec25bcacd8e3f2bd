"""What `tests.forked` reads once: every module of the product but those that start it, and its law."""

import gc
import importlib
import pkgutil

import deploy.local
import services
from services.routing.deciding import load_judge

gc.disable()
for package in (services, deploy.local):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
load_judge()
gc.freeze()  # a search through what is shared would copy all of it
