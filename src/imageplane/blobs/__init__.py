"""Large bytes by name: in a local folder, or in S3, Google Cloud Storage or Azure by URL."""

from imageplane.blobs.store import Blobs

__all__ = ["Blobs"]
