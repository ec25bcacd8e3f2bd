"""What an agency needs to receive from Netral; stands alone on pydantic and cryptography."""
