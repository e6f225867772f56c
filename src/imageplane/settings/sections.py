"""The sections of the settings, each with its variables: type, unit, range and one sentence."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from imageplane import machine
from imageplane.limits import Limits

PREFIX = "IMAGEPLANE_"
DELIMITER = "__"

SECTION = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class EngineSettings(BaseModel):
    """The processes that decode untrusted bytes."""

    model_config = SECTION

    count: Annotated[
        int, Field(ge=1, le=1024, description="How many engine processes work at once; the default is one per core.")
    ] = Field(default_factory=machine.available_cores)
    deadline_in_s: Annotated[
        float, Field(gt=0, le=3600, description="How long an engine may work on one image before it is killed.")
    ] = 30.0
    memory_in_bytes: Annotated[
        int, Field(ge=300_000_000, le=2**40, description="The most data memory that one engine may hold.")
    ] = 900_000_000
    recycle_after: Annotated[
        int, Field(ge=1, le=1_000_000, description="After how many images an engine is replaced by a fresh one.")
    ] = 1000
    total_memory_in_bytes: Annotated[
        int,
        Field(
            ge=100_000_000,
            le=2**44,
            description="How much memory all images at work may be thought to need together; one that would need more "
            "waits. The default is half of the machine's or the container's.",
        ),
    ] = Field(default_factory=machine.half_of_the_memory)


class AdmissionSettings(BaseModel):
    """What may wait for an engine."""

    model_config = SECTION

    memory_in_bytes: Annotated[
        int,
        Field(
            ge=10_000_000,
            le=2**40,
            description="The most memory that bodies of requests and fetched files take up together; a request that "
            "finds none waits unread, as long as its turn can come in time.",
        ),
    ] = 600_000_000
    least_bytes_per_s: Annotated[
        int,
        Field(
            ge=0,
            le=1_000_000_000,
            description="How quickly a body must come, after its first 30 seconds; 0 lets it come as it likes.",
        ),
    ] = 20_000


class LimitSettings(Limits):
    """What one request, one source and one organization may have."""

    max_body_in_bytes: Annotated[
        int, Field(ge=1000, le=2_000_000_000, description="The largest body of a request, in bytes as it was sent.")
    ] = 60_000_000
    requests_per_minute: Annotated[
        int, Field(ge=1, le=10_000_000, description="How many requests an organization may send in any 60 seconds.")
    ] = 100
    storage_url: Annotated[
        SecretStr | None,
        Field(
            description="A redis:// or rediss:// address where several servers count requests together; without one "
            "each counts its own."
        ),
    ] = None

    @property
    def of_a_source(self) -> Limits:
        """The part that engines hold a source and its pictures against."""
        return Limits(**{name: getattr(self, name) for name in Limits.model_fields})


class HttpSettings(BaseModel):
    """The server."""

    model_config = SECTION

    deadline_in_s: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            description="How long a request may wait and be worked on, beside the time that its body takes.",
        ),
    ] = 120.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="The least important lines that are logged.")
    ] = "info"
    public_url: Annotated[
        str | None,
        Field(
            pattern="^https?://[^?#]+$",
            description="The address under which callers reach the server, for the links that it gives; without one "
            "the address that they asked at.",
        ),
    ] = None
    traces: Annotated[
        bool,
        Field(description="Whether traces are sent to OTEL_EXPORTER_OTLP_ENDPOINT; needs the extra `traces`."),
    ] = False
    mcp: Annotated[
        bool, Field(description="Whether models find a tool at /mcp where the extra `mcp` is installed.")
    ] = True
    playground: Annotated[bool, Field(description="Whether there is a page at /playground to try things out.")] = True


class DatabaseSettings(BaseModel):
    """Where accounts, keys and credits are kept."""

    model_config = SECTION

    url: Annotated[
        SecretStr | None,
        Field(
            description="A postgresql:// or sqlite:/// address; without one it is a SQLite file in the data folder. "
            "Several servers share one PostgreSQL."
        ),
    ] = None


class BlobSettings(BaseModel):
    """Where large bytes are kept, such as replies to repeat."""

    model_config = SECTION

    url: Annotated[
        str | None,
        Field(
            description="A file:///, s3://, gs:// or az:// address; without one it is a folder in the data folder. "
            "Several servers need one that all of them reach."
        ),
    ] = None


class CacheSettings(BaseModel):
    """Results that are kept, so that the same work on the same file is done once."""

    model_config = SECTION

    max_size_in_bytes: Annotated[
        int, Field(ge=0, le=2**50, description="The most that is kept; 0 keeps nothing. The least lately used goes.")
    ] = 0
    url: Annotated[
        str | None,
        Field(description="A file:///, s3://, gs:// or az:// address; without one it is a folder in the data folder."),
    ] = None


class PriceSettings(BaseModel):
    """What a request costs; 1000 millicredits are one credit."""

    model_config = SECTION

    transform_in_millicredits: Annotated[
        int,
        Field(ge=0, le=1_000_000_000, description="What one transform costs, however many outputs it has."),
    ] = 1000


class SourcesSettings(BaseModel):
    """How files are fetched from URLs."""

    model_config = SECTION

    allow_http: Annotated[
        bool,
        Field(description="Whether plain http is fetched too; for development, since anyone may read and change it."),
    ] = False
    allow_private_networks: Annotated[
        bool,
        Field(
            description="Whether private, loopback and carrier-grade networks are fetched from, at any port; for "
            "development. Metadata services of clouds stay closed."
        ),
    ] = False
    allowed_ports: Annotated[
        frozenset[Annotated[int, Field(ge=1, le=65_535)]] | None,
        Field(description="The ports that are fetched from, as a JSON list; without one 443, and 80 for plain http."),
    ] = None
    connect_timeout_in_s: Annotated[
        float, Field(gt=0, le=60, description="The longest wait for a name to be found and for a connection.")
    ] = 5.0
    read_timeout_in_s: Annotated[
        float, Field(gt=0, le=300, description="The longest silence of a server that is sending.")
    ] = 10.0
    total_timeout_in_s: Annotated[
        float,
        Field(gt=0, le=3600, description="The longest that one download may take; a request can only ask for less."),
    ] = 60.0
    max_redirects: Annotated[int, Field(ge=0, le=20, description="The most redirects that are followed.")] = 5
    max_concurrent: Annotated[
        int, Field(ge=1, le=10_000, description="The most downloads at once in one process; more wait their turn.")
    ] = 100
    user_agent: Annotated[
        str,
        Field(
            min_length=1,
            max_length=500,
            pattern=r"^[ -~]+$",
            description="What servers are told is asking, unless the request says otherwise.",
        ),
    ] = "Imageplane"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a server has to say at its start when it fetches more than the public https internet."""
        told, variable = [], f"{PREFIX}SOURCES{DELIMITER}"
        if self.allow_http:
            told.append(f"{variable}ALLOW_HTTP is on: anyone on the way can read and change files that are fetched.")
        if self.allow_private_networks:
            told.append(f"{variable}ALLOW_PRIVATE_NETWORKS is on: anyone with an API key can reach this network.")
        return tuple(told)


class ModelSettings(BaseModel):
    """The networks that look at pictures."""

    model_config = SECTION

    execution_providers: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="The execution providers of onnxruntime, the best first, as a JSON list; those that it was "
            "built without are passed over.",
        ),
    ] = ("CPUExecutionProvider",)
    idle_release_in_s: Annotated[
        float,
        Field(gt=0, le=86_400, description="After how long without work a heavy network is let go by an engine."),
    ] = 60.0
    mirror_url: Annotated[
        str | None,
        Field(
            pattern="^https://",
            description="An https:// folder that holds the weights under their names, asked before their makers.",
        ),
    ] = None
