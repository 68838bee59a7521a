"""E-mail by SMTP: the only package that knows its client."""

from bot.channels.email.channel import NAME, EmailChannel
from bot.channels.email.lines import Server

__all__ = ["NAME", "EmailChannel", "Server"]
