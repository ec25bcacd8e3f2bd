"""Settings: environment first, then a TOML file, then the defaults written here.

`NETRAL_CONFIG` names the file (default `netral.toml` in the working folder). Every setting is `NETRAL_` + its name in
capitals in the environment, and its plain name in the file.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.runtime.addresses import BrokerAddresses, without_password

S = TypeVar("S", bound="Settings")


class BadSettings(Exception):
    """A setting that cannot be used; the text names it, the cause and the cure, one line each."""


class Settings(BaseSettings):
    """What every process of Netral needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="NETRAL_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data_dir: Annotated[Path, Field(description="Folder of everything that must survive a restart")] = Path(
        "data"
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="The least severe log line that is written"),
    ] = "INFO"
    nats_url: Annotated[
        BrokerAddresses, Field(description="Address of the NATS server; of a cluster all, with commas")
    ] = "nats://127.0.0.1:4222"
    nats_tls_ca: Annotated[
        Path | None, Field(description="Certificates the NATS server's must come from; switches TLS on")
    ] = None
    nats_tls_cert: Annotated[
        Path | None, Field(description="Our own certificate, if the NATS server asks for one")
    ] = None
    nats_tls_key: Annotated[Path | None, Field(description="The key of nats_tls_cert")] = None
    nats_replicas: Annotated[int, Field(ge=1, le=5, description="Copies of each stream (3 in a cluster)")] = 1

    @property
    def broker_shown(self) -> str:
        """Where the broker is, for a sentence."""
        return without_password(self.nats_url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())

    def secret(self, name: str) -> str:
        """The secret `name` from `data_dir/secrets/`. Raises BadSettings if it is not there."""
        path = self.data_dir / "secrets" / name
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "it is not text"
            raise BadSettings(
                f"{path}: cannot be read ({why}); run `netral up` once, or put the secret there"
            ) from None


def config_file() -> Path:
    """The TOML file that is read, whether it exists or not."""
    return Path(os.environ.get("NETRAL_CONFIG", "netral.toml"))


def load(kind: type[S], **given: Any) -> S:
    """The settings of one process. Raises BadSettings with one line per fault."""
    try:
        return kind(**given)
    except ValidationError as error:
        raise BadSettings("\n".join(_line(item) for item in error.errors(include_url=False))) from None
    except ValueError as error:
        raise BadSettings(f"{config_file()}: {error}; mend the file or unset NETRAL_CONFIG") from None


def _line(item: Any) -> str:
    if not item["loc"]:
        return f"settings: {item['msg']}; mend them in the environment or in {config_file()}"
    name = str(item["loc"][0])
    return (
        f"NETRAL_{name.upper()}: {item['msg']}; set it in the environment or as `{name}` in {config_file()}"
    )
