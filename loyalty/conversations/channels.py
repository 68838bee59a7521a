"""What each channel can do: one line a channel. The panel's previews and the channels themselves go by it."""

from collections.abc import Mapping

from loyalty.conversations.content import Capabilities

TELEGRAM = "telegram"
WHATSAPP = "whatsapp"
SMS = "sms"
EMAIL = "email"

# Sources: core.telegram.org/bots/api, developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
CAPABILITIES: Mapping[str, Capabilities] = {
    TELEGRAM: Capabilities(
        text_length=4096,
        caption_length=1024,
        asking_length=4096,
        buttons=100,
        button_length=64,
        options=0,
        has_menu=True,
        can_ask_contact=True,
        can_edit=True,
        has_files=True,
    ),
    WHATSAPP: Capabilities(
        text_length=4096,
        caption_length=1024,
        asking_length=1024,
        buttons=3,
        button_length=20,
        options=10,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=True,
        window_hours=24,
    ),
    # Ten parts of 67 characters, as a text with Cyrillic letters has them. Source: 3GPP TS 23.040
    SMS: Capabilities(
        text_length=670,
        caption_length=670,
        asking_length=670,
        buttons=0,
        button_length=0,
        options=0,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=False,
        hears=False,
    ),
    EMAIL: Capabilities(
        text_length=100_000,
        caption_length=100_000,
        asking_length=100_000,
        buttons=0,
        button_length=0,
        options=0,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=True,
        hears=False,
    ),
}
USUAL = ",".join(name for name, able in CAPABILITIES.items() if able.hears)
"""Where messages go unless the shop says otherwise: where people can answer."""
