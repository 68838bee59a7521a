"""What WhatsApp sends, made of parts: its own shapes with people of our own."""

from itertools import count
from typing import Any

PHONE_NUMBER_ID = "555000111222333"
DISPLAY_NUMBER = "74950001122"
ANNA = "79165550101"
ANNA_ID = "RU.82003004005006007"
NOW = 1_795_000_000
NUMBERS = count(1)

JSON = dict[str, Any]
METADATA = {"display_phone_number": DISPLAY_NUMBER, "phone_number_id": PHONE_NUMBER_ID}


def wamid() -> str:
    return f"wamid.HBgLNzkxNjU1NTAxMDE{next(NUMBERS):08d}=="


def call(*changes: JSON, **more: Any) -> JSON:
    """A call with one entry of these changes."""
    return {"object": "whatsapp_business_account", "entry": [entry(*changes)], **more}


def entry(*changes: JSON) -> JSON:
    return {"id": "900800700600", "time": NOW, "changes": list(changes)}


def change(*, field: str = "messages", **value: Any) -> JSON:
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": METADATA, **value}}


def contact(wa_id: str | None = ANNA, user_id: str | None = None, name: str | None = "Анна") -> JSON:
    told = {"profile": {"name": name} if name else None, "wa_id": wa_id, "user_id": user_id}
    return {key: value for key, value in told.items() if value is not None}


def message(kind: str, wa_id: str | None = ANNA, user_id: str | None = None, **content: Any) -> JSON:
    told = {"from": wa_id, "from_user_id": user_id, "id": wamid(), "timestamp": str(NOW), "type": kind, **content}
    return {key: value for key, value in told.items() if value is not None}


def text(body: str = "Баланс", **who: Any) -> JSON:
    return message("text", text={"body": body}, **who)


def said(*messages: JSON, contacts: list[JSON] | None = None) -> JSON:
    """A call that brings messages."""
    return call(change(contacts=[contact()] if contacts is None else contacts, messages=list(messages)))


def status(kind: str = "delivered", **more: Any) -> JSON:
    return {
        "id": wamid(),
        "status": kind,
        "timestamp": str(NOW),
        "recipient_id": ANNA,
        "biz_opaque_callback_data": "4711",
        "conversation": {"id": "c0ffee", "origin": {"type": "service"}},
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "service"},
        **more,
    }


def news(*statuses: JSON) -> JSON:
    """A call that tells of our messages."""
    return call(change(statuses=list(statuses)))


def preference(value: str, **more: Any) -> JSON:
    chosen = {
        "wa_id": ANNA,
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": NOW,
        **more,
    }
    return call(change(field="user_preferences", contacts=[contact()], user_preferences=[chosen]))


def template(event: str, **more: Any) -> JSON:
    value = {
        "event": event,
        "message_template_id": 70080090010020,
        "message_template_name": "bonuses_expire",
        "message_template_language": "ru",
        "reason": "NONE",
        **more,
    }
    return call({"field": "message_template_status_update", "value": value})


def a_pressed(kind: str, **chosen: str) -> JSON:
    context = {"from": DISPLAY_NUMBER, "id": "wamid.ours"}
    return message("interactive", context=context, interactive={"type": kind, kind: chosen})


def a_contact(wa_id: str | None, phone: str) -> JSON:
    numbers = {"phone": phone, "type": "CELL", **({"wa_id": wa_id} if wa_id is not None else {})}
    return message("contacts", contacts=[{"name": {"formatted_name": "Анна"}, "phones": [numbers]}])


def a_system(**told: str) -> JSON:
    return message("system", system={"body": "User Анна changed from one to another", **told})


def every_kind() -> dict[str, JSON]:
    """A call of each kind, by its name."""
    quick = message("button", button={"text": "Да", "payload": "confirm:7:2"}, context={"id": "wamid.ours"})
    picture = {"id": "8001", "mime_type": "image/jpeg", "sha256": "aa", "caption": "Чек"}
    paper = {"id": "8002", "mime_type": "application/pdf", "sha256": "bb", "filename": "чек.pdf"}
    place = {"latitude": 55.75, "longitude": 37.62, "name": "Ладно", "address": "Москва, Тверская, 1"}
    unknown = [{"code": 131051, "title": "Message type unknown", "error_data": {"details": "not supported"}}]
    failed = [{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Undeliverable"}}]
    moved = {"wa_id": ANNA, "user_id": {"previous": ANNA_ID, "current": "RU.900"}, "timestamp": NOW}
    hidden = message("text", None, ANNA_ID, text={"body": "Без номера"})
    both = message("text", ANNA, ANNA_ID, text={"body": "Оба имени"})
    return {
        "text": said(text()),
        "start": said(text("/start j_0a1b")),
        "forwarded": said(text("Смотрите", context={"forwarded": True, "frequently_forwarded": True})),
        "from an advertisement": said(text("Привет", referral={"source_id": "1", "source_type": "ad"})),
        "without a number": said(hidden, contacts=[contact(None, ANNA_ID)]),
        "with both names": said(both, contacts=[contact(ANNA, ANNA_ID)]),
        "without a profile": said(text(), contacts=[contact(name=None)]),
        "without contacts": said(text(), contacts=[]),
        "quick reply": said(quick),
        "button": said(a_pressed("button_reply", id="lang:ru:1", title="Русский")),
        "row": said(a_pressed("list_reply", id="say:Баланс", title="Баланс", description="Сколько бонусов")),
        "form": said(a_pressed("nfm_reply", name="flow", body="Sent", response_json="{}")),
        "picture": said(message("image", image=picture)),
        "document": said(message("document", document=paper)),
        "audio": said(message("audio", audio={"id": "8003", "mime_type": "audio/ogg; codecs=opus", "voice": True})),
        "video": said(message("video", video={"id": "8004", "mime_type": "video/mp4"})),
        "sticker": said(message("sticker", sticker={"id": "8005", "mime_type": "image/webp", "animated": False})),
        "location": said(message("location", location=place)),
        "own contact": said(a_contact(ANNA, "+7 916 555-01-01")),
        "another's contact": said(a_contact("79165550199", "+7 916 555-01-99")),
        "written contact": said(a_contact(None, "+7 (916) 555-01-01")),
        "reaction": said(message("reaction", reaction={"message_id": "wamid.ours", "emoji": "👍"})),
        "reaction taken back": said(message("reaction", reaction={"message_id": "wamid.ours"})),
        "order": said(message("order", order={"catalog_id": "1", "product_items": [], "text": "Латте"})),
        "unsupported": said(message("unsupported", errors=unknown)),
        "unknown": said(message("unknown", errors=unknown)),
        "number changed": said(a_system(type="user_changed_number", wa_id="79165550202"), contacts=[]),
        "id changed": said(
            a_system(type="user_changed_user_id", user_id="RU.900", previous_user_id=ANNA_ID), contacts=[]
        ),
        "identity changed": said(a_system(type="user_identity_changed"), contacts=[]),
        "id update": call(change(field="user_id_update", contacts=[contact()], user_id_update=[moved])),
        "in a group": said(text(group_id="120363")),
        "sent": news(status("sent")),
        "delivered": news(status("delivered")),
        "read": news(status("read", timestamp=NOW)),
        "played": news(status("played")),
        "failed": news(status("failed", errors=failed)),
        "deleted": news(status("deleted")),
        "stop": preference("stop"),
        "resume": preference("resume"),
        "approved": template("APPROVED"),
        "rejected": template("REJECTED", reason="TAG_CONTENT_MISMATCH"),
        "template paused": template("PAUSED", other_info={"title": "FIRST_PAUSE", "description": "for 3 hours"}),
        "flagged": template("FLAGGED"),
        "echo": call(change(field="smb_message_echoes", message_echoes=[text()])),
        "account alert": call({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}),
        "quality": call({"field": "phone_number_quality_update", "value": {"current_limit": "TIER_2K"}}),
        "error of the account": call(change(errors=[{"code": 131031, "title": "Account locked"}])),
        "empty value": call(change()),
        "another number": call(change(metadata={"phone_number_id": "1"}, contacts=[contact()], messages=[text()])),
    }
