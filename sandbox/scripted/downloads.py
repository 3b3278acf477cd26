"""How files leave the portal: a ticket that is good once, and everything that can go wrong on the way."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

from aiohttp import web

from sandbox import faults
from sandbox.files import pdf_pieces
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.files import PDF_TYPE, XLSX_TYPE, ZIP_TYPE, File, document, unsafe_archive
from sandbox.scripted.state import ScriptedState, Ticket
from sandbox.users import User
from sandbox.workbooks import workbook

PAGE = "Download"  # the page at which a ticket is answered
SLOW_PIECES = 20
TROUBLES = (
    "truncated-file",
    "empty-file",
    "html-instead-of-pdf",
    "html-instead-of-xlsx",
    "html-instead-of-csv",
    "wrong-type",
    "unsafe-zip",
    "slow-download",
)


def offer(call: Call, file: File) -> Reply:
    """Have the page fetch a file; in the scenario `download-swallowed` the first click does nothing."""
    swallowed = call.data.get("swallowed", [])
    if call.user.says("download-swallowed") and file.kind not in swallowed:
        call.keep(swallowed=[*swallowed, file.kind])
        return {}
    if call.user.says("cached-file"):
        file = call.portal.cached.setdefault((call.user.name, file.kind), file)
    file = replace(file, name=named(call, file))
    trouble = next((word for word in TROUBLES if call.portal.troubled(call.user, word, file.kind)), "")
    ticket = secrets.token_urlsafe(24)
    back = "" if call.origin in call.portal.linked else call.origin
    call.portal.tickets[ticket] = Ticket(call.signed_in, file, trouble, back)
    reply: Reply = {"download": call.at(PAGE, ticket=ticket)}
    if call.perturbation.touches("download-way", file.kind):
        ways = ("link", "tab") if trouble else ("link", "tab", "blob")
        reply["way"] = call.perturbation.choose("download-way", file.kind, ways)
    return reply


def named(call: Call, file: File) -> str:
    """Return the name of a file: the portal's own, or one that says nothing."""
    if not call.perturbation.touches("file-names", file.kind):
        return file.name
    ending = file.name.rpartition(".")[2]
    names = (
        f"download.{ending}",
        f"file (1).{ending}",
        f"{call.perturbation.number(file.kind, below=10**8):08d}",
        "export",
    )
    return call.perturbation.choose("file-names", file.kind, names)


async def hand_out(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Answer a ticket with its file, as the user's scenario wants it."""
    ticket = portal.tickets.pop(request.query.get("ticket", ""), None)
    if ticket is None:
        raise web.HTTPGone
    if not portal.sessions.alive(ticket.session.key):
        raise web.HTTPFound(portal.urls[ticket.origin] + "/")
    request["user"] = ticket.session.user.name
    file = _disturbed(ticket.session.user, ticket.file, ticket.trouble)
    portal.counters.add_to("files", file.kind)
    size = int(portal.configuration["pdf_bytes"])
    if size and not ticket.trouble and file.media_type == PDF_TYPE:
        return await _big(portal, request, file, size)
    body = await asyncio.to_thread(file.content)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    whole = web.Response(body=body, content_type=file.media_type, headers=headers)
    if ticket.trouble == "truncated-file":
        portal.tickets[request.query["ticket"]] = (
            ticket  # a browser asks again, several times, and is cut off each time
        )
        return await faults.cut_short(request, whole)
    if ticket.trouble == "slow-download":
        return await _slowly(portal, request, whole, body)
    return whole


def _disturbed(user: User, file: File, trouble: str) -> File:
    if trouble == "empty-file":
        return replace(file, content=lambda: b"")
    if trouble.startswith("html-instead-of-"):
        page = b"<!doctype html><html><body><h1>We could not process your request</h1></body></html>"
        media_type = file.media_type if user.says("mislabelled") else "text/html"
        return replace(file, media_type=media_type, content=lambda: page)
    if trouble == "wrong-type":
        other = workbook("Oops", [["Oops"]]) if file.media_type == PDF_TYPE else document("Oops", ["Oops"])
        return replace(file, content=lambda: other)
    if trouble == "unsafe-zip":
        inside = "report.xlsx" if file.media_type == XLSX_TYPE else "invoice.pdf"
        name = f"{file.name.rpartition('.')[0]}.zip"
        return replace(file, name=name, media_type=ZIP_TYPE, content=lambda: unsafe_archive(inside, file.content()))
    return file


async def _big(portal: ScriptedState, request: web.Request, file: File, size: int) -> web.StreamResponse:
    """Send a PDF of so many bytes, which no memory holds as a whole."""
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Content-Type": file.media_type}
    response = web.StreamResponse(headers=headers)
    response.content_length = size
    await response.prepare(request)
    for piece in pdf_pieces(file.name, size):
        await response.write(piece)
        portal.streamed(len(piece))
    await response.write_eof()
    return response


async def _slowly(portal: ScriptedState, request: web.Request, whole: web.Response, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    size = -(-len(body) // SLOW_PIECES)
    for start in range(0, len(body), size):
        await response.write(body[start : start + size])
        await asyncio.sleep(portal.configuration["slow_seconds"] / SLOW_PIECES)
    await response.write_eof()
    portal.streamed(len(body))
    return response
