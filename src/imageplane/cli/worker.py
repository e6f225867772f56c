"""`imageplane worker`: a process that works on the jobs of an installation, on this machine or on another."""

import typer

from imageplane.cli.exit import cleanly


def worker() -> None:
    """Work on jobs until interrupted; what is at work then is left to others.

    Any number of these, on any number of machines, share the PostgreSQL of IMAGEPLANE_DATABASE__URL and the store of
    IMAGEPLANE_BLOBS__URL with the servers. One that is killed loses nothing: its jobs are done by others within a
    minute.
    """
    import asyncio  # noqa: PLC0415

    from imageplane.accounts.books import Books  # noqa: PLC0415
    from imageplane.http.logs import configure  # noqa: PLC0415
    from imageplane.jobs.workplace import check, work  # noqa: PLC0415
    from imageplane.machine import share_one_heap  # noqa: PLC0415
    from imageplane.settings import load  # noqa: PLC0415

    share_one_heap()
    with cleanly():
        settings = load()
        configure(settings.http)
        with Books.open(settings) as books:
            check(settings, books)
            typer.echo("Imageplane works on jobs.")
            asyncio.run(work(settings, books))
