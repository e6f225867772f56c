"""A process that moves credits as fast as it can, for tests that run several of them or kill them in the middle.

`python storm.py URL FOLDER KEY MODE`, then a line on stdin to begin. Every line that it prints is true already.
"""

import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from banking import PATIENCE_IN_S, PRICE, open_books

from imageplane.accounts.account import Account
from imageplane.accounts.books import Books
from imageplane.errors import InsufficientCredits


def say(*words: object) -> None:
    sys.stdout.write("".join(f"{word}\n" for word in words))
    sys.stdout.flush()


def spend_once(books: Books, account: Account, tasks: int) -> None:
    """Hold and settle in as many threads at once as there are tasks, and tell how many could pay."""
    begin = threading.Barrier(tasks)

    def request(_number: int) -> bool:
        begin.wait(PATIENCE_IN_S)
        try:
            hold = books.ledger.hold(account, PRICE, "request", expires_in_s=60).result(PATIENCE_IN_S)
        except InsufficientCredits:
            return False
        return books.ledger.settle(hold).result(PATIENCE_IN_S) == PRICE.amount_in_millicredits

    with ThreadPoolExecutor(tasks) as threads:
        say(sum(threads.map(request, range(tasks))))


def spend_for_ever(books: Books, account: Account) -> None:
    """Hold in dozens; settle, release and forget at random; print a line for each request that was charged."""
    chance = secrets.SystemRandom()
    while True:
        holding = [
            books.ledger.hold(account, PRICE, "request", expires_in_s=chance.choice([0.05, 60])) for _ in range(50)
        ]
        settling = []
        for future in holding:
            if future.exception(PATIENCE_IN_S) is None:
                what = chance.random()
                if what < 0.6:
                    settling.append(books.ledger.settle(future.result(), chance.choice([1000, 250])))
                elif what < 0.8:
                    books.ledger.release(future.result())
        if chance.random() < 0.3:
            books.ledger.release_expired()
        charged = [future.result(PATIENCE_IN_S) for future in settling if future.exception(PATIENCE_IN_S) is None]
        say(*charged)


def main() -> None:
    url, folder, key_text, mode = sys.argv[1:]
    with open_books(url, Path(folder)) as books:
        account = books.keys.ask(key_text).result(PATIENCE_IN_S)
        say("ready")
        sys.stdin.readline()
        if mode == "for ever":
            spend_for_ever(books, account)
        else:
            spend_once(books, account, int(mode))


if __name__ == "__main__":
    main()
