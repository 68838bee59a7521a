"""A message of ours as WhatsApp takes it. Source: the reference of POST /PHONE_NUMBER_ID/messages."""

from typing import Any

from bot.channels.base import File, Filled, Outgoing
from bot.channels.whatsapp.reading import NUMBER
from loyalty.conversations.channels import CAPABILITIES, WHATSAPP
from loyalty.conversations.content import Button, Content, fit

PICTURES = ("image/jpeg", "image/png")
"""What WhatsApp shows as a picture; others are handed over as files."""
ROW_TITLE_LENGTH = 24
ROW_DESCRIPTION_LENGTH = 72
BUTTON_LENGTH = 20
# WhatsApp takes no message without words beside buttons.
NO_WORDS = "…"

Body = dict[str, Any]


def bodies(message: Outgoing, media_id: str) -> list[Body]:
    """The calls that make a message, in their order; the last one is the message, with our number of it.

    `media_id` names its file once that is uploaded. There are two where a file goes with a list.
    """
    if message.template is not None:
        return [_to(message, _template(message.template))]
    content = fit(message.content, CAPABILITIES[WHATSAPP], message.language)
    media = _media(message.file, media_id) if message.file is not None else {}
    if content.buttons:
        return [_to(message, _with_buttons(content, media))]
    if content.links:
        return [_to(message, _with_link(content, media))]
    if content.options:
        alone = [_to(message, media, is_named=False)] if media else []
        return [*alone, _to(message, _list(content))]
    if media:
        if content.text:
            media[media["type"]]["caption"] = marked(content)
        return [_to(message, media)]
    return [_to(message, {"type": "text", "text": {"body": marked(content), "preview_url": False}})]


def marked(content: Content) -> str:
    """The text, with the part that stands out between asterisks where those do not make it too long."""
    limit = CAPABILITIES[WHATSAPP].text_length
    if content.buttons or content.options or content.links or content.picture or content.attachment:
        limit = CAPABILITIES[WHATSAPP].asking_length
    strong = content.strong.strip()
    # WhatsApp marks within a line alone.
    if not strong or "\n" in strong or len(content.text) + 2 > limit:
        return content.text
    return content.text.replace(strong, f"*{strong}*", 1)


def _to(message: Outgoing, what: Body, *, is_named: bool = True) -> Body:
    """A body with its envelope. Who hides their number is written to by their id."""
    number = next((name for name in (message.alias or "", message.address) if NUMBER.fullmatch(name)), "")
    whom = {"to": number} if number else {"recipient": message.address}
    named = {"biz_opaque_callback_data": str(message.reference)} if is_named else {}
    return {"messaging_product": "whatsapp", "recipient_type": "individual", **whom, **what, **named}


def _template(template: Filled) -> Body:
    # A variable must hold neither line breaks nor runs of spaces.
    values = [{"type": "text", "text": " ".join(value.split())} for value in template.values]
    body = {"name": template.name, "language": {"code": template.language}}
    components = {"components": [{"type": "body", "parameters": values}]} if values else {}
    return {"type": "template", "template": {**body, **components}}


def _with_buttons(content: Content, media: Body) -> Body:
    buttons = [
        {"type": "reply", "reply": {"id": button.data, "title": button.text}}
        for row in content.buttons
        for button in row
    ]
    header = {"header": media} if media else {}
    return _interactive(content, {"type": "button", **header}, {"buttons": buttons})


def _with_link(content: Content, media: Body) -> Body:
    [link] = content.links
    header = {"header": media} if media else {}
    action = {"name": "cta_url", "parameters": {"display_text": link.text, "url": link.url}}
    return _interactive(content, {"type": "cta_url", **header}, action)


def _list(content: Content) -> Body:
    rows = [_row(option) for option in content.options]
    action = {"button": content.options_label[:BUTTON_LENGTH], "sections": [{"rows": rows}]}
    return _interactive(content, {"type": "list"}, action)


def _row(option: Button) -> Body:
    """A line of a list: a label that is too long is cut there and told in full below."""
    if len(option.text) <= ROW_TITLE_LENGTH:
        return {"id": option.data, "title": option.text}
    title = option.text[: ROW_TITLE_LENGTH - 1].rstrip() + "…"
    return {"id": option.data, "title": title, "description": option.text[:ROW_DESCRIPTION_LENGTH]}


def _interactive(content: Content, head: Body, action: Body) -> Body:
    body = {"body": {"text": marked(content) or NO_WORDS}}
    return {"type": "interactive", "interactive": {**head, **body, "action": action}}


def _media(file: File, media_id: str) -> Body:
    if file.mime in PICTURES:
        return {"type": "image", "image": {"id": media_id}}
    return {"type": "document", "document": {"id": media_id, "filename": file.name or "file"}}
