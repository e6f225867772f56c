"""The section of the settings for the pages that people use."""

from typing import Annotated

from pydantic import BaseModel, Field

from imageplane.settings.sections import SECTION


class DashboardSettings(BaseModel):
    """The pages under /dashboard, where people sign up, make keys and look at what they used."""

    model_config = SECTION

    enabled: Annotated[
        bool, Field(description="Whether there is a dashboard; off, there is nothing at `/` and `/dashboard`.")
    ] = True
    sign_up: Annotated[
        bool,
        Field(
            description="Whether strangers may make an account, with trial credits; off, `imageplane users create` "
            "makes them."
        ),
    ] = True
    session_lifetime_in_s: Annotated[
        int, Field(ge=60, le=31_536_000, description="After how long without a visit one has to sign in again.")
    ] = 604_800
    tries_per_address: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="How often one may try to sign in from one network address in any 15 minutes, and as often "
            "to sign up. Behind a proxy, FORWARDED_ALLOW_IPS names whose X-Forwarded-For is believed.",
        ),
    ] = 30
    tries_per_email: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="How often one may try to sign in with one e-mail address in any 15 minutes, from anywhere.",
        ),
    ] = 10
