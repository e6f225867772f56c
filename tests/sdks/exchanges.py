"""A case of the contract, sent by a client where it can say it, and judged as if it had come by raw HTTP."""

from collections.abc import Callable

from calls import Call, call_of, is_call
from installations import Installations, check_always, filling
from pairs import CASES, check, filled, sent
from picture_server import PictureServer
from server import Reply

# Makes a call to the server at a base URL, with so many retries.
Make = Callable[[Call, str, int], Reply]


def hold(name: str, make: Make, installations: Installations, pictures: PictureServer) -> None:
    """Hold a client to a case, one exchange after the other."""
    case = CASES[name]
    where = case.get("server", "default")
    server, books = installations.find(where)
    fill = filling(books, pictures.url)
    # Where requests are few and time is short, nobody should wait for more of them.
    max_retries = 0 if where == "tight" else 2
    replies: list[Reply] = []
    for exchange in case["exchanges"]:
        request = exchange["request"]
        if is_call(request):
            reply = make(call_of(filled(request, fill), fill("key")), server.url, max_retries)
        else:
            # What comes after it may count on it.
            reply = sent(server, request, fill)
        check(reply, exchange["reply"], replies)
        check_always(reply)
        replies.append(reply)
