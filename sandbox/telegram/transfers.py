"""The parts of files: offsets and limits as the protocol allows them, file references, and connections that break."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from sandbox.telegram import entities
from sandbox.telegram.calls import Call, Cut, Refusal, answers
from sandbox.telegram.channels import BEGAN
from sandbox.telegram.documents import PART, File, part
from sandbox.telegram.service import HOME

STEP = 4096
SMALL = "m"  # of a photo: a quarter of it stands for the small one


@answers(functions.upload.GetFileRequest, content=True)
def get_file(call: Call) -> Any:
    """Return a part of a file."""
    request, state = call.request, call.state
    file = located(call, request.location)
    call.about.update(document=file.id, offset=request.offset, limit=request.limit)
    centre = int(state.configuration["file_dc"])
    if centre != HOME and not call.key.row["imported"]:
        raise Refusal(303, f"FILE_MIGRATE_{centre}")
    if request.offset < 0 or request.offset % STEP:
        raise Refusal(400, "OFFSET_INVALID")
    if request.limit <= 0 or request.limit % STEP or PART % request.limit:
        raise Refusal(400, "LIMIT_INVALID")
    if state.configuration["strict_parts"] and request.offset // PART != (request.offset + request.limit - 1) // PART:
        raise Refusal(400, "LIMIT_INVALID")
    error = entities.judged(state, call.me, file, request.location.file_reference)
    if error:
        state.counters.add("references_expired", error.endswith("_EXPIRED"))
        raise Refusal(400, error)
    told = part(file, request.offset, request.limit)
    if request.location.thumb_size == SMALL:
        told = told[: max(file.size // 4 - request.offset, 0)]
    state.counters.add("parts")
    state.counters.add("downloads", 0 if request.offset else 1)
    state.counters.add("bytes", len(told))
    state.counters.add_to("file_bytes", str(file.id), len(told))
    kind = types.storage.FileJpeg() if file.kind == "photo" else types.storage.FilePartial()
    answer = types.upload.File(kind, BEGAN, told)
    if cut_here(call, file, request.offset, len(told)):
        raise Cut(answer)
    return answer


def located(call: Call, location: Any) -> File:
    """Return the file that a request means."""
    photo = isinstance(location, types.InputPhotoFileLocation)
    if not photo and not isinstance(location, types.InputDocumentFileLocation):
        raise Refusal(400, "LOCATION_INVALID")
    file = call.state.world.file(location.id)
    if file is None or file.access_hash != location.access_hash or (file.kind == "photo") is not photo:
        raise Refusal(400, "FILE_ID_INVALID")
    if location.thumb_size and not photo:
        raise Refusal(400, "LOCATION_INVALID")  # no document has a thumbnail
    return file


def cut_here(call: Call, file: File, offset: int, length: int) -> bool:
    """Whether the connection breaks within this part, as the scenario `cut` has it: at even distances, once each."""
    if not call.me.says("cut"):
        return False
    cuts = int(call.state.configuration["cuts"])
    for place in range(1, cuts + 1):
        at = file.size * place // (cuts + 1)
        if offset <= at < offset + length and call.state.once("cut", call.me.number, str(file.id), str(place)):
            call.state.counters.add("cuts")
            return True
    return False
