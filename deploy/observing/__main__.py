"""Writes the rule file and the dashboards; `make schemas` calls it."""

import io
import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from ruamel.yaml import YAML

from deploy.observing.dashboards import dashboards
from deploy.observing.rules import document

ROOT = Path(__file__).parents[1]


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    yaml, text = YAML(), io.StringIO()
    yaml.width = 4096
    yaml.dump(document(), text)
    found = {ROOT / "prometheus" / "rules.yml": text.getvalue()}
    for name, built in dashboards().items():
        written = json.dumps(
            json.loads(JSONEncoder(sort_keys=True).encode(built.build())), indent=1, sort_keys=True
        )
        found[ROOT / "grafana" / "dashboards" / f"{name}.json"] = written + "\n"
    return found


def main() -> None:
    """Write them."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
