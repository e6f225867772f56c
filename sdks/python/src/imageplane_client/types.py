"""What is asked and answered, as the server's OpenAPI document says it.

Written by `make generate`; change the server instead.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from imageplane_client.files import Upload


class BearerAuth(TypedDict):
    """A token for the server of the file."""

    type: Literal["bearer"]
    token: str
    """Sent as `Authorization: Bearer`."""


class BasicAuth(TypedDict):
    """A user name and a password for the server of the file."""

    type: Literal["basic"]
    username: str
    """Without a colon."""
    password: NotRequired[str | None]


class CustomHeaderAuth(TypedDict):
    """A header that opens the server of the file."""

    type: Literal["custom_header"]
    name: str
    """Such as `X-Api-Key`."""
    value: str


class FetchOptions(TypedDict):
    """How a file is fetched from its URL."""

    auth: NotRequired[BearerAuth | BasicAuth | CustomHeaderAuth | None]
    """Sent to the origin of the URL only, never along with a redirect."""
    headers: NotRequired[Mapping[str, str] | None]
    """More request headers, sent to the origin of the URL only."""
    locale: NotRequired[str | None]
    """A language tag such as `de-DE` (BCP 47), sent as `Accept-Language`."""
    timeout_ms: NotRequired[int | None]
    """The longest that the download may take."""
    user_agent: NotRequired[str | None]
    """Sent as `User-Agent`."""
    should_render_javascript: NotRequired[bool | None]
    """Has no meaning for images."""


class UrlFile(TypedDict):
    """A file that the server fetches."""

    type: NotRequired[Literal["url", None]]
    """May be left out."""
    url: str
    """An https address on the public internet. Redirects are followed, and judged the same."""
    name: NotRequired[str | None]
    """A hint only; the bytes decide."""
    fetch_options: NotRequired[FetchOptions | None]
    """How to fetch a file from its URL."""


class Base64File(TypedDict):
    """A file inside the request."""

    type: NotRequired[Literal["base64", None]]
    """May be left out."""
    base64: str
    """The standard alphabet, padded or not; a `data:image/…;base64,` in front is passed over."""
    name: NotRequired[str | None]
    """A hint only; the bytes decide."""
    fetch_options: NotRequired[FetchOptions | None]
    """How to fetch a file from its URL."""


File = UrlFile | Base64File | Upload
"""Where the picture is."""


class AutoContrastOperation(TypedDict):
    """Stretch the contrast so that the picture reaches from black to white.

    Hue and alpha stay as they are. Transparent pixels have no say, translucent ones less; all frames of an animation
    are stretched alike. A picture of a single lightness stays as it is.

    Method: the 1st and 99th percentiles of L in CIE Lab at D65 move to 0 and 100, as in Sharp's `normalise`.
    """

    type: Literal["auto_contrast"]


class BlurOperation(TypedDict):
    """Blur with a Gaussian.

    The edges of the picture are replicated, so they don't darken. Below a sigma of about 0.25 nothing changes that
    8 bits could show.

    Method: a sampled Gaussian, one pass per axis, premultiplied; a large sigma works on a shrunk copy, within one
    step of the exact result on photos.
    """

    type: Literal["blur"]
    sigma: float
    """Standard deviation in pixels."""


class CompressToSizeOperation(TypedDict):
    """Make the file no larger than this.

    The largest quality that fits is taken; when even the lowest is too large, then the largest dimensions that fit.
    Lossless formats only shrink their dimensions. A size that nothing reaches is refused.
    """

    type: Literal["compress_to_size"]
    max_file_size_in_bytes: int
    """The most bytes that the file may have."""


class ConvertOperation(TypedDict):
    """Set the format of the result.

    The last `convert` of the list decides. Quality counts for JPEG, WebP, AVIF and HEIF, and is ignored for PNG.
    Transparency is laid on white when the format has none.
    """

    type: Literal["convert"]
    format: Literal["png", "jpeg", "webp", "avif", "heif"]
    """Format of the result."""
    quality: NotRequired[int | None]
    """1 is smallest, 100 is best."""


class CropOperation(TypedDict):
    """Cut out a rectangle.

    The rectangle must lie within the picture as it reaches the operation; otherwise the request is refused.
    """

    type: Literal["crop"]
    left_in_px: int
    """Columns to leave out at the left."""
    top_in_px: int
    """Rows to leave out at the top."""
    width_in_px: int
    """Width to keep."""
    height_in_px: int
    """Height to keep."""


class DenoiseOperation(TypedDict):
    """Remove specks and grain with a median filter.

    Every color band takes the median of a square window; edges are replicated. Transparency stays as it is, and
    invisible pixels count with the color of the visible ones around them.

    Method: the running histogram of Huang, Yang and Tang (1979), as in libvips `rank`.
    """

    type: Literal["denoise"]
    size: int
    """Side of the window in pixels; an even size is rounded up to odd."""


class ExtendOperation(TypedDict):
    """Add a border of one color.

    The border is opaque; a transparent picture keeps its own transparency within it.
    """

    type: Literal["extend"]
    top_in_px: int
    """Rows to add at the top."""
    bottom_in_px: int
    """Rows to add at the bottom."""
    left_in_px: int
    """Columns to add at the left."""
    right_in_px: int
    """Columns to add at the right."""
    hex_color: str
    """Color of the border, such as `#1a2b3c`."""


class FlipOperation(TypedDict):
    """Mirror top to bottom."""

    type: Literal["flip"]


class FlopOperation(TypedDict):
    """Mirror left to right."""

    type: Literal["flop"]


class GammaOperation(TypedDict):
    """Brighten or darken the middle tones; black, white and alpha stay as they are.

    Method: 255·(value/255)^(1/gamma) for each color value, from a table.
    """

    type: Literal["gamma"]
    gamma: float
    """Below 1 darkens, above 1 brightens, 1 changes nothing."""


class GrayscaleOperation(TypedDict):
    """Make the picture gray; alpha stays as it is.

    Method: relative luminance with the weights of Rec. 709, summed in linear light and encoded as sRGB again.
    """

    type: Literal["grayscale"]


class InvertColorsOperation(TypedDict):
    """Turn every color into its opposite, as a negative does; alpha stays as it is.

    Method: 255 minus each color value.
    """

    type: Literal["invert_colors"]


class ModulateOperation(TypedDict):
    """Change brightness, saturation and hue; at least one of them must be given.

    Colors that leave sRGB on the way are clipped; alpha stays as it is.

    Method: CIE LCh at D65: lightness and chroma are multiplied, the hue is turned. The turn is done as a rotation of
    a and b in CIE Lab, which is the same and spares two conversions.
    """

    type: Literal["modulate"]
    brightness: NotRequired[float | None]
    """Multiplies the lightness; 1 leaves it unchanged."""
    saturation: NotRequired[float | None]
    """Multiplies the chroma; 1 leaves it unchanged, 0 makes gray."""
    hue: NotRequired[float | None]
    """Turns the hue by so many degrees, in either direction."""


class OpacityOperation(TypedDict):
    """Make the picture more transparent; what is transparent already stays so.

    Formats without transparency show the result on white.

    Method: alpha times the percentage, rounded; colors stay as they are.
    """

    type: Literal["opacity"]
    opacity_in_percent: float
    """0 is invisible, 100 changes nothing."""


class RemoveBackgroundOperation(TypedDict):
    """Cut out what stands in front: the background becomes transparent, or one color.

    It is filled where a color is given, and with white where the format in effect can't be transparent (JPEG, GIF).
    The colors of hair and edges are freed of the background that shone through.

    Method: U²-Net says what is in front; a local color model says where exactly, at full size (`models/matting.py`).
    Errors: model_unavailable.
    """

    type: Literal["remove_background"]
    background_hex_color: str
    """An RGB color such as `#1a2b3c` for the background; the `#` may be left out."""


class RemoveTransparencyOperation(TypedDict):
    """Lay the picture on a color; without transparency it stays as it is.

    Method: the operator "over" of Porter and Duff, "Compositing Digital Images", 1984.
    """

    type: Literal["remove_transparency"]
    hex_color: str
    """An RGB color such as `#1a2b3c`; the `#` may be left out."""


class ResizeOperation(TypedDict):
    """Scale the picture to a box.

    `cover` fills the box and cuts what hangs over, `contain` fits inside and pads, `fill` stretches, `inside` only
    ever shrinks to fit, `outside` only ever enlarges to cover. Padding is black unless `hex_color` says otherwise.

    Method: libvips `resize` with Lanczos3, premultiplied; enlarging is bicubic.
    """

    type: Literal["resize"]
    width_in_px: int
    """Width of the box."""
    height_in_px: int
    """Height of the box."""
    fit: Literal["cover", "contain", "fill", "inside", "outside"]
    """How the picture meets the box."""
    position: NotRequired[Literal["center", "smart_crop", None]]
    """Which part `cover` keeps: the middle, or what draws the eye."""
    hex_color: NotRequired[str | None]
    """Padding color of `contain`."""


class RotateOperation(TypedDict):
    """Turn the picture clockwise.

    Right angles are exact. Any other angle lets the canvas grow until the whole picture fits, and fills the corners
    with an opaque color.

    Method: bicubic about the center, premultiplied (libvips `affine`).
    """

    type: Literal["rotate"]
    angle_in_degrees: float
    """Clockwise angle; it may be negative or more than a whole turn."""
    hex_color: NotRequired[str | None]
    """Color of the corners, such as `#1a2b3c`."""


class SharpenOperation(TypedDict):
    """Sharpen edges and texture.

    Edges are sharpened twice as much as fine texture and noise, and never so far that they get a rim. Transparency
    stays as it is, and colors that lie hidden under it have no influence.

    Method: unsharp mask on luma; the difference to a Gaussian blur goes through the curve of libvips `sharpen` and is
    added to every color band.
    """

    type: Literal["sharpen"]
    sigma: float
    """Standard deviation of the blur in pixels; 0.5 to 2 is usual."""


class SmartCropOperation(TypedDict):
    """Scale and cut to exactly this size, keeping whom or what the picture is of.

    Faces come before people, people before animals, animals before objects; without any of them what draws the eye
    decides. No face is cut where a window can avoid it, and heads keep room above them. Without `zoom` the window is
    the largest of its ratio; an image never fails for want of a subject.

    Method: YuNet finds faces and PicoDet people, animals and objects on a small copy; among the windows of the ratio
    the one is taken that keeps most of what matters (`pixels/composition.py`).
    """

    type: Literal["smart_crop"]
    width_in_px: int
    """Exact width."""
    height_in_px: int
    """Exact height."""
    zoom: NotRequired[float | None]
    """How tight around the subject: 0 the largest window, 1 the subject with a margin."""
    subject: NotRequired[Literal["face", "person", "animal", "object", None]]
    """The one kind of subject that may decide."""


class ThresholdOperation(TypedDict):
    """Turn every pixel white or black.

    What is at least the value becomes white, the rest black. Transparency stays as it is.

    Method: the gray level is the luminance of sRGB, encoded back to sRGB (libvips `colourspace`).
    """

    type: Literal["threshold"]
    value: float
    """The lowest level that becomes white."""
    is_grayscale: NotRequired[bool | None]
    """Whether the gray level decides; otherwise red, green and blue each for themselves."""


class TintOperation(TypedDict):
    """Color the picture in shades of one color and keep its luminance.

    Only the chroma of the color counts. Black and white stay black and white; alpha stays as it is.

    Method: CIE Lab at D65: L is the pixel's, a and b are the color's, fading out toward black and white by the weight
    of Sharp, 4·(L/100)·(1 - L/100). Where sRGB has no such color, the chroma gives way until it has, so that the
    luminance is kept. As L follows from the gray value alone, this is one table of 256 colors.
    """

    type: Literal["tint"]
    hex_color: str
    """An RGB color such as `#1a2b3c`; the `#` may be left out."""


class TrimOperation(TypedDict):
    """Cut away borders that have the color of the top left pixel.

    Transparent borders are cut as well, whatever color hides in them. A picture that is all border stays whole. In an
    animation the border is what stays border in every frame.

    Method: the smallest rectangle that holds every pixel of which a band differs from the top left pixel by more than
    the threshold; with alpha, all bands are compared, premultiplied.
    """

    type: Literal["trim"]
    threshold: float
    """How far, of 255, a band of a border pixel may lie from the top left pixel."""


class UpscaleOperation(TypedDict):
    """Enlarge two, three or four times, with detail that a network makes up as photos have it.

    Method: Real-ESRGAN general x4 v3 on overlapping tiles, held to the picture by back-projection; two and three times
    are made of four times by Lanczos. Transparency is enlarged by Catmull-Rom. It takes about 20 seconds of CPU for
    a megapixel.
    Errors: model_unavailable, image_too_large, deadline_exceeded.
    """

    type: Literal["upscale"]
    factor: Literal[2, 3, 4]
    """How many times larger."""


Operation = (
    AutoContrastOperation
    | BlurOperation
    | CompressToSizeOperation
    | ConvertOperation
    | CropOperation
    | DenoiseOperation
    | ExtendOperation
    | FlipOperation
    | FlopOperation
    | GammaOperation
    | GrayscaleOperation
    | InvertColorsOperation
    | ModulateOperation
    | OpacityOperation
    | RemoveBackgroundOperation
    | RemoveTransparencyOperation
    | ResizeOperation
    | RotateOperation
    | SharpenOperation
    | SmartCropOperation
    | ThresholdOperation
    | TintOperation
    | TrimOperation
    | UpscaleOperation
)
"""One step of a transformation; `type` says which."""


Operations = Sequence[Operation]
"""Done in their order; an empty list only encodes anew."""


class OperationsRequest(TypedDict):
    """One picture."""

    file: File
    operations: Operations
    webhook_url: NotRequired[str | None]
    """Where the reply is sent: the request is accepted at once, and answered later."""
    delivery: NotRequired[Literal["bytes", "link"]]
    """Whether what is sent there holds the pictures, or links to them."""


class Output(TypedDict):
    """One of several pictures that are made of one source."""

    name: str
    """1 to 64 letters, digits, `_` and `-`; no two of a request may differ only in capitals."""
    operations: Operations


Outputs = Sequence[Output]
"""All made of the source as it was fetched and decoded once."""


class OutputsRequest(TypedDict):
    """Several pictures of one source."""

    file: File
    outputs: Outputs
    webhook_url: NotRequired[str | None]
    """Where the reply is sent: the request is accepted at once, and answered later."""
    delivery: NotRequired[Literal["bytes", "link"]]
    """Whether what is sent there holds the pictures, or links to them."""


TransformRequest = OperationsRequest | OutputsRequest
"""What is to be made of a picture."""


class BulkOperationsRequest(TypedDict):
    """One picture of each."""

    manifest: UrlFile
    """A file with one JSON object in every line: `{"url": "https://…"}`, and a `name` if it is to have one."""
    operations: Operations
    webhook_url: NotRequired[str | None]
    """Where the reply is sent: the request is accepted at once, and answered later."""


class BulkOutputsRequest(TypedDict):
    """Several pictures of each."""

    manifest: UrlFile
    """A file with one JSON object in every line: `{"url": "https://…"}`, and a `name` if it is to have one."""
    outputs: Outputs
    webhook_url: NotRequired[str | None]
    """Where the reply is sent: the request is accepted at once, and answered later."""


BulkRequest = BulkOperationsRequest | BulkOutputsRequest
"""What is to be made of every picture of a manifest."""


class Picture(TypedDict):
    """One finished file."""

    buffer: str
    """The file in padded standard base64."""
    mime_type: Literal["image/png", "image/jpeg", "image/webp", "image/avif", "image/heic", "image/gif"]
    width_in_px: int
    height_in_px: int
    size_in_bytes: int


class SourceMetadata(TypedDict):
    """What the bytes of the source say; the size is that of the upright picture."""

    format: Literal["jpeg", "png", "webp", "gif", "avif", "heif", "svg", "tiff", "bmp"]
    width_in_px: int
    height_in_px: int
    size_in_bytes: int


class Window(TypedDict):
    """A part of a picture, in its pixels."""

    left_in_px: int
    top_in_px: int
    width_in_px: int
    height_in_px: int


class Subject(TypedDict):
    """Something that was seen in a picture: a face, a person, an animal, an object."""

    kind: str
    confidence: float
    box: Window


class SmartCrop(TypedDict):
    """Which window an operation of the request chose, and why; in pixels of the upright picture that reached it."""

    operation_index: int
    rule: str
    window: Window
    subjects: list[Subject]
    fallback_reason: str | None


class PictureMetadata(TypedDict):
    """What is to be known of one transform with one output."""

    request_id: str
    """The same as the header `X-Request-Id`."""
    source: SourceMetadata
    warnings: list[str]
    """What was ignored or mended, with its place in the request."""
    credits_charged: float
    """In credits; failed requests cost nothing."""
    timings_in_ms: dict[str, float]
    """Time at each stop, such as `decode`."""
    smart_crops: list[SmartCrop]
    plan: list[str]
    """How the picture was made, for people: decoding, every step, and encoding."""


class PictureReply(TypedDict):
    """The picture that a list of `operations` made."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Picture
    metadata: PictureMetadata


class OutputMetadata(TypedDict):
    """What operations chose by themselves on the way to one output, and the way itself."""

    smart_crops: list[SmartCrop]
    plan: list[str]
    """How the picture was made, for people: decoding, every step, and encoding."""


class NamedPicture(TypedDict):
    """One of several outputs, under the name that the request gave it."""

    buffer: str
    """The file in padded standard base64."""
    mime_type: Literal["image/png", "image/jpeg", "image/webp", "image/avif", "image/heic", "image/gif"]
    width_in_px: int
    height_in_px: int
    size_in_bytes: int
    name: str
    metadata: OutputMetadata


class Pictures(TypedDict):
    """Several outputs, in the order of the request."""

    outputs: list[NamedPicture]


class TransformMetadata(TypedDict):
    """What is to be known of one transform."""

    request_id: str
    """The same as the header `X-Request-Id`."""
    source: SourceMetadata
    warnings: list[str]
    """What was ignored or mended, with its place in the request."""
    credits_charged: float
    """In credits; failed requests cost nothing."""
    timings_in_ms: dict[str, float]
    """Time at each stop, such as `decode`."""


class OutputsReply(TypedDict):
    """The pictures that `outputs` asked for."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Pictures
    metadata: TransformMetadata


TransformReply = PictureReply | OutputsReply
"""One picture, or one for each of the `outputs`."""


AcceptedReply = TypedDict(
    "AcceptedReply",
    {
        "success": Literal[True],
        "async": Literal[True],
        "message": str,
        "job_id": str,
        "status_url": str,
    },
)
"""The request is accepted, and is answered later."""


class Fault(TypedDict):
    """One wrong place in a request: its path, such as `operations[3].width_in_px`, and what is wrong there."""

    path: str
    message: str


class Failure(TypedDict):
    """Why a job failed, as its caller is told."""

    message: str
    code: str
    details: NotRequired[list[Fault]]


class Items(TypedDict):
    """How the images of a bulk fare; `total` grows while the manifest is read."""

    total: int
    done: int
    failed: int


class Job(TypedDict):
    """One request that is answered later."""

    id: str
    api: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    created_at: str
    started_at: str | None
    """When it was first worked on."""
    ended_at: str | None
    attempts: int
    """How often it was worked on."""
    next_attempt_at: str | None
    """Not before when it is worked on again."""
    credits_held: float
    """What it costs when it succeeds."""
    webhook_url: str | None
    """Where the reply is sent, without its query."""
    delivery: Literal["bytes", "link"]
    request_id: str
    """The `X-Request-Id` of the request that handed it in."""
    result_url: str | None
    """Where the reply is, once it has succeeded."""
    error: Failure | None
    """Why it failed."""
    items: Items | None
    """Of a bulk, asked for by its id, how its images fare."""


class JobReply(TypedDict):
    """One job of the caller's organization."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Job


class Jobs(TypedDict):
    """Jobs, the latest first."""

    jobs: list[Job]
    next: str | None
    """The `before` that gives the jobs after these, if there are any."""


class JobsReply(TypedDict):
    """Jobs of the caller's organization."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Jobs


class Organization(TypedDict):
    """Who pays."""

    id: str
    name: str


class Key(TypedDict):
    """The API key of the request."""

    id: str
    name: str
    expires_at: str | None


class Account(TypedDict):
    """Whose key this is, and what is left."""

    organization: Organization
    key: Key
    credits: float
    """What the organization has left."""
    requests_per_minute: int


class AccountReply(TypedDict):
    """The caller's own account."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Account


class UsedKey(TypedDict):
    """A key of the organization."""

    id: str
    name: str


class DayOfUse(TypedDict):
    """What one key did with one API on one day, in UTC."""

    day: str
    key: UsedKey
    api: str
    requests: int
    credits: float


class Usage(TypedDict):
    """What was used from one day to another, both included."""

    since: str
    until: str
    usage: list[DayOfUse]


class UsageReply(TypedDict):
    """The usage of the caller's organization."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Usage


class WebhookSecret(TypedDict):
    """A secret that webhooks are signed with."""

    secret: str
    """`whsec_` and base64, as the libraries of Standard Webhooks take it."""
    created_at: str
    signs_until: str | None
    """Until when it signs beside the current one, which has no such end."""


class WebhookSecrets(TypedDict):
    """All secrets that sign now, the current one first."""

    secrets: list[WebhookSecret]


class WebhookSecretsReply(TypedDict):
    """What the webhooks of the caller's organization are signed with."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: WebhookSecrets


class DeliveryAttempt(TypedDict):
    """One attempt to deliver a webhook."""

    number: int
    """The first is 1; of more than a hundred the last hundred are told."""
    at: str
    duration_in_ms: int
    status_code: int | None
    """What the receiver answered, if it did."""
    error: str | None
    """Why it counts as a failure, if it does."""


class Delivery(TypedDict):
    """A webhook, and what became of it so far."""

    id: str
    """The `webhook-id`; it is the same in every attempt."""
    job_id: str
    url: str
    """Where it goes; the query is not shown."""
    delivery: Literal["bytes", "link"]
    """Whether results are in it, or signed links to them."""
    status: Literal["pending", "delivered", "failed"]
    next_attempt_at: str | None
    """When it is sent next, while it is pending."""
    created_at: str
    ended_at: str | None
    attempts: list[DeliveryAttempt]


class Deliveries(TypedDict):
    """The deliveries of a job, the newest first."""

    deliveries: list[Delivery]


class DeliveriesReply(TypedDict):
    """The deliveries of a job."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Deliveries


class DeliveryReply(TypedDict):
    """One delivery."""

    success: Literal[True]
    """Whether the request was answered with what it asked for."""
    data: Delivery


class ErrorReply(TypedDict):
    """The answer to every request that failed, on every route."""

    success: Literal[False]
    error: str
    """One sentence for a person."""
    code: Literal[
        "invalid_request",
        "unsupported_format",
        "refused_source",
        "unreachable_source",
        "invalid_api_key",
        "insufficient_credits",
        "budget_cap_exceeded",
        "forbidden",
        "invalid_link",
        "not_found",
        "method_not_allowed",
        "conflict",
        "idempotency_in_progress",
        "idempotency_mismatch",
        "rate_limited",
        "invalid_settings",
        "too_large",
        "image_too_large",
        "unprocessable",
        "undecodable_image",
        "impossible_operation",
        "unreachable_size",
        "unencodable_image",
        "engine_crashed",
        "busy",
        "model_unavailable",
        "deadline_exceeded",
        "internal_error",
    ]
    """What went wrong, for programs."""
    details: list[Fault]
    """Every wrong place in the request."""
    request_id: str
    """The same as the header `X-Request-Id`."""
