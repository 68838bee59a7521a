"""How people come to our accounts in messengers: found out by whoever receives there, read by the till."""

from datetime import datetime

from loyalty import db


async def keep_link(source: str, link: str, *, now: datetime) -> None:
    """Keep the address that opens a chat with an account of ours; what it is to tell us follows at its end."""
    await db.execute(
        "INSERT INTO channel_link (source, link, at) VALUES ($1, $2, $3)"
        " ON CONFLICT (source) DO UPDATE SET link = EXCLUDED.link, at = EXCLUDED.at",
        source,
        link,
        now,
    )
