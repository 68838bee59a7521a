"""WhatsApp's Cloud API, by a thin client of our own: the only package that knows its shapes.

Source of the shapes: developers.facebook.com/documentation/business-messaging/whatsapp.
"""

from bot.channels.whatsapp.channel import NAME, WhatsAppChannel

__all__ = ["NAME", "WhatsAppChannel"]
