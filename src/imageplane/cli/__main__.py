"""`python -m imageplane.cli` is the command too."""

from imageplane.cli.main import app

app(prog_name="imageplane")
