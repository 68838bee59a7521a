"""A form that may bring a picture or file along."""

from aiohttp import web

from admin_web.forms import Form, read_form
from loyalty.conversations.answering import FILE_BYTES, Upload, upload_of
from loyalty.errors import Invalid

# A file as large as may be, and the words beside it.
BODY_LIMIT = FILE_BYTES + 2**20


async def read_upload(request: web.Request) -> tuple[Form, Upload | None]:
    """What was posted, and its file if it brought one; what is wrong with that is noted in the form."""
    if not request.content_type.startswith("multipart/"):
        return await read_form(request), None
    wide = request.clone(client_max_size=BODY_LIMIT)
    try:
        form = await read_form(wide)
    except web.HTTPRequestEntityTooLarge:
        # The words are lost with it, in a browser without scripts; the page's own script says so before.
        form = Form()
        form.refuse(Invalid("file", "file_too_large", limit=FILE_BYTES // 2**20))
        return form, None
    file = (await wide.post()).get("file")
    if not isinstance(file, web.FileField):
        return form, None
    with file.file as content:
        body = content.read()
    if not file.filename:
        return form, None
    try:
        return form, upload_of(file.filename, body)
    except Invalid as error:
        form.refuse(error)
        return form, None
