"""The sections of the settings for jobs and their webhooks."""

from typing import Annotated

from pydantic import BaseModel, Field

from imageplane import machine
from imageplane.settings.sections import SECTION


class WebhookSettings(BaseModel):
    """How results of jobs are sent to their webhooks; where they may be sent, the settings of sources say."""

    model_config = SECTION

    timeout_in_s: Annotated[
        float, Field(gt=0, le=30, description="How long a receiver may take to answer, from connecting to it on.")
    ] = 15.0
    max_concurrent: Annotated[
        int, Field(ge=1, le=1000, description="The most webhooks that one process sends at once.")
    ] = 50
    max_concurrent_per_organization: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="The most of them for one organization; it gets fewer while others send too, and a single "
            "receiver of it gets half.",
        ),
    ] = 30
    memory_in_bytes: Annotated[
        int, Field(ge=1_000_000, le=2**40, description="The most memory that the bodies of these take up together.")
    ] = 200_000_000
    link_lifetime_in_s: Annotated[
        int, Field(ge=60, le=31_536_000, description="How long a signed link to a result opens it.")
    ] = 604_800


class JobSettings(BaseModel):
    """Requests that are answered later."""

    model_config = SECTION

    concurrency: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="How many jobs one process works on at once, fetching included; 0 leaves them to other "
            "processes. The default is two per core.",
        ),
    ] = Field(default_factory=lambda: 2 * machine.available_cores())
    max_concurrent_per_organization: Annotated[
        int, Field(ge=1, le=100_000, description="The most jobs of one organization that are worked on at once.")
    ] = 100
    deadline_in_s: Annotated[
        float, Field(gt=0, le=3600, description="How long one attempt at a job may take, fetching included.")
    ] = 300.0
    max_attempts: Annotated[
        int,
        Field(ge=1, le=100, description="How often a job is tried where the reason of its failure may pass."),
    ] = 8
    gives_up_after_in_s: Annotated[
        float, Field(ge=60, le=2_592_000, description="How long a job may wait and be tried again before it fails.")
    ] = 86_400.0
    lease_in_s: Annotated[
        float,
        Field(
            ge=2,
            le=3600,
            description="How long a process keeps what it works on without a word to the database, which it gives six "
            "times as often; then others take it that did not die.",
        ),
    ] = 30.0
    kept_for_in_s: Annotated[
        float,
        Field(ge=60, le=31_536_000, description="How long a job that has ended is kept, with its input and result."),
    ] = 604_800.0
