"""What the intake service needs to know."""

from typing import Annotated

from pydantic import Field

from services.runtime.addresses import HttpAddress, listening_at
from services.runtime.database_address import DatabaseAddress
from services.runtime.settings import BadSettings, Settings


class IntakeSettings(Settings):
    """Settings of the door and its vault; every one has a default that works on one machine."""

    intake_host: Annotated[str, Field(description="Address the intake door listens on")] = "127.0.0.1"
    intake_port: Annotated[int, Field(ge=1, le=65535, description="Port of the intake door")] = 8080
    vault_url: Annotated[
        DatabaseAddress | None,
        Field(description="Database of the vault (default SQLite in data_dir; postgresql://… works too)"),
    ] = None
    public_url: Annotated[
        HttpAddress | None,
        Field(description="Address under which citizens reach the door (default host and port)"),
    ] = None

    @property
    def vault_address(self) -> str:
        """The SQLAlchemy URL of the vault."""
        return self.vault_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'intake.db'}"

    @property
    def public_address(self) -> str:
        """The address of the door as others write it, without a slash at the end."""
        return (self.public_url or listening_at(self.intake_host, self.intake_port)).rstrip("/")

    @property
    def keys(self) -> dict[str, bytes]:
        """The keys a vault is filled with, for ever. Raises BadSettings."""
        return {name: self.key(name) for name in ("vault.key", "door.key")}

    def key(self, name: str) -> bytes:
        """The 256-bit key in the secret `name`. Raises BadSettings."""
        try:
            key = bytes.fromhex(self.secret(name))
        except ValueError:
            key = b""
        if len(key) != 32:
            path = self.data_dir / "secrets" / name
            raise BadSettings(
                f"{path}: is not a key of 64 hexadecimal digits; restore the one it was made with"
            )
        return key
