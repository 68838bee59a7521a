"""SMS through any gateway that takes them over HTTP: how it is called is a matter of settings."""

from bot.channels.sms.channel import NAME, SmsChannel
from bot.channels.sms.parse import Callback
from bot.channels.sms.template import Call

__all__ = ["NAME", "Call", "Callback", "SmsChannel"]
