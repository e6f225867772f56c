// Written by `npm run generate` from docs/openapi.json; change it there.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The request is accepted, and is answered later. */
        AcceptedReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            /** @constant */
            async: true;
            /** @description One sentence for a person. */
            message: string;
            job_id: string;
            /** @description Where to ask what has become of it. */
            status_url: string;
        };
        /** @description Whose key this is, and what is left. */
        Account: {
            organization: components["schemas"]["Organization"];
            key: components["schemas"]["Key"];
            /** @description What the organization has left. */
            credits: number;
            requests_per_minute: number;
        };
        /** @description The caller's own account. */
        AccountReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Account"];
        };
        /** @description The server answers. */
        Alive: {
            /** @constant */
            status: "alive";
        };
        /** @description The server answers. */
        AliveReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Alive"];
        };
        /**
         * @description Stretch the contrast so that the picture reaches from black to white.
         *
         *     Hue and alpha stay as they are. Transparent pixels have no say, translucent ones less; all frames of an animation
         *     are stretched alike. A picture of a single lightness stays as it is.
         *
         *     Method: the 1st and 99th percentiles of L in CIE Lab at D65 move to 0 and 100, as in Sharp's `normalise`.
         * @example {
         *       "type": "auto_contrast"
         *     }
         */
        AutoContrastOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "auto_contrast";
        };
        /** @description A file inside the request. */
        Base64File: {
            /**
             * @description May be left out.
             * @enum {unknown}
             */
            type?: "base64" | null;
            /**
             * Format: byte
             * @description The standard alphabet, padded or not; a `data:image/…;base64,` in front is passed over.
             */
            base64: string;
            /** @description A file has either `base64` or `url`. */
            url?: null;
            /** @description A hint only; the bytes decide. */
            name?: string | null;
            /** @description How to fetch a file from its URL. */
            fetch_options?: components["schemas"]["FetchOptions"] | null;
        };
        /** @description A user name and a password for the server of the file. */
        BasicAuth: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "basic";
            /** @description Without a colon. */
            username: string;
            /**
             * Format: password
             * @default
             */
            password?: string | null;
        };
        /** @description A token for the server of the file. */
        BearerAuth: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "bearer";
            /**
             * Format: password
             * @description Sent as `Authorization: Bearer`.
             */
            token: string;
        };
        /**
         * @description Blur with a Gaussian.
         *
         *     The edges of the picture are replicated, so they don't darken. Below a sigma of about 0.25 nothing changes that
         *     8 bits could show.
         *
         *     Method: a sampled Gaussian, one pass per axis, premultiplied; a large sigma works on a shrunk copy, within one
         *     step of the exact result on photos.
         * @example {
         *       "type": "blur",
         *       "sigma": 0.5
         *     }
         * @example {
         *       "type": "blur",
         *       "sigma": 2.7
         *     }
         * @example {
         *       "type": "blur",
         *       "sigma": 13.3
         *     }
         */
        BlurOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "blur";
            /** @description Standard deviation in pixels. */
            sigma: number;
        };
        /** @description What came of a bulk; its pictures and failures have routes of their own. */
        BulkReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Items"];
        };
        /** @description What is to be made of every picture of a manifest. */
        BulkRequest: {
            /** @description A file with one JSON object in every line: `{"url": "https://…"}`, and a `name` if it is to have one. */
            manifest: components["schemas"]["UrlFile"];
            operations: components["schemas"]["Operations"];
            /** @description Where the reply is sent: the request is accepted at once, and answered later. */
            webhook_url?: string | null;
        } | {
            /** @description A file with one JSON object in every line: `{"url": "https://…"}`, and a `name` if it is to have one. */
            manifest: components["schemas"]["UrlFile"];
            outputs: components["schemas"]["Outputs"];
            /** @description Where the reply is sent: the request is accepted at once, and answered later. */
            webhook_url?: string | null;
        };
        /**
         * @description Make the file no larger than this.
         *
         *     The largest quality that fits is taken; when even the lowest is too large, then the largest dimensions that fit.
         *     Lossless formats only shrink their dimensions. A size that nothing reaches is refused.
         * @example {
         *       "type": "compress_to_size",
         *       "max_file_size_in_bytes": 9973
         *     }
         */
        CompressToSizeOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "compress_to_size";
            /** @description The most bytes that the file may have. */
            max_file_size_in_bytes: number;
        };
        /**
         * @description Set the format of the result.
         *
         *     The last `convert` of the list decides. Quality counts for JPEG, WebP, AVIF and HEIF, and is ignored for PNG.
         *     Transparency is laid on white when the format has none.
         * @example {
         *       "type": "convert",
         *       "format": "webp",
         *       "quality": 71
         *     }
         * @example {
         *       "type": "convert",
         *       "format": "jpeg",
         *       "quality": 83
         *     }
         */
        ConvertOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "convert";
            /**
             * @description Format of the result.
             * @enum {string}
             */
            format: "png" | "jpeg" | "webp" | "avif" | "heif";
            /** @description 1 is smallest, 100 is best. */
            quality?: number | null;
        };
        /**
         * @description Cut out a rectangle.
         *
         *     The rectangle must lie within the picture as it reaches the operation; otherwise the request is refused.
         * @example {
         *       "type": "crop",
         *       "left_in_px": 61,
         *       "top_in_px": 35,
         *       "width_in_px": 113,
         *       "height_in_px": 87
         *     }
         * @example {
         *       "type": "crop",
         *       "left_in_px": 16,
         *       "top_in_px": 8,
         *       "width_in_px": 136,
         *       "height_in_px": 104
         *     }
         */
        CropOperation: {
            /** @constant */
            type: "crop";
            /** @description Columns to leave out at the left. */
            left_in_px: number;
            /** @description Rows to leave out at the top. */
            top_in_px: number;
            /** @description Width to keep. */
            width_in_px?: number | null;
            /** @description Another name of `width_in_px`, which goes first. */
            width?: unknown;
            /** @description Height to keep. */
            height_in_px?: number | null;
            /** @description Another name of `height_in_px`, which goes first. */
            height?: unknown;
        } & (({
            width_in_px: number;
        } | {
            width_in_px?: null;
            width: number;
        }) & ({
            height_in_px: number;
        } | {
            height_in_px?: null;
            height: number;
        }) & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "crop";
        });
        /** @description A header that opens the server of the file. */
        CustomHeaderAuth: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "custom_header";
            /** @description Such as `X-Api-Key`. */
            name: string;
            /** Format: password */
            value: string;
        };
        /** @description What one key did with one API on one day, in UTC. */
        DayOfUse: {
            /** Format: date */
            day: string;
            key: components["schemas"]["UsedKey"];
            api: string;
            requests: number;
            credits: number;
        };
        /** @description The deliveries of a job, the newest first. */
        Deliveries: {
            deliveries: components["schemas"]["Delivery"][];
        };
        /** @description The deliveries of a job. */
        DeliveriesReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Deliveries"];
        };
        /** @description A webhook, and what became of it so far. */
        Delivery: {
            /** @description The `webhook-id`; it is the same in every attempt. */
            id: string;
            job_id: string;
            /** @description Where it goes; the query is not shown. */
            url: string;
            /**
             * @description Whether results are in it, or signed links to them.
             * @enum {string}
             */
            delivery: "bytes" | "link";
            /** @enum {string} */
            status: "pending" | "delivered" | "failed";
            /** @description When it is sent next, while it is pending. */
            next_attempt_at: string | null;
            /** Format: date-time */
            created_at: string;
            ended_at: string | null;
            attempts: components["schemas"]["DeliveryAttempt"][];
        };
        /** @description One attempt to deliver a webhook. */
        DeliveryAttempt: {
            /** @description The first is 1; of more than a hundred the last hundred are told. */
            number: number;
            /** Format: date-time */
            at: string;
            duration_in_ms: number;
            /** @description What the receiver answered, if it did. */
            status_code: number | null;
            /** @description Why it counts as a failure, if it does. */
            error: string | null;
        };
        /** @description One delivery. */
        DeliveryReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Delivery"];
        };
        /**
         * @description Remove specks and grain with a median filter.
         *
         *     Every color band takes the median of a square window; edges are replicated. Transparency stays as it is, and
         *     invisible pixels count with the color of the visible ones around them.
         *
         *     Method: the running histogram of Huang, Yang and Tang (1979), as in libvips `rank`.
         * @example {
         *       "type": "denoise",
         *       "size": 3
         *     }
         * @example {
         *       "type": "denoise",
         *       "size": 14
         *     }
         * @example {
         *       "type": "denoise",
         *       "size": 17
         *     }
         */
        DenoiseOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "denoise";
            /** @description Side of the window in pixels; an even size is rounded up to odd. */
            size: number;
        };
        /** @description The answer to every request that failed, on every route. */
        ErrorReply: {
            /** @constant */
            success: false;
            /** @description One sentence for a person. */
            error: string;
            /**
             * @description What went wrong, for programs.
             * @enum {string}
             */
            code: "invalid_request" | "unsupported_format" | "refused_source" | "unreachable_source" | "invalid_api_key" | "insufficient_credits" | "budget_cap_exceeded" | "forbidden" | "invalid_link" | "not_found" | "method_not_allowed" | "conflict" | "idempotency_in_progress" | "idempotency_mismatch" | "rate_limited" | "invalid_settings" | "too_large" | "image_too_large" | "unprocessable" | "undecodable_image" | "impossible_operation" | "unreachable_size" | "unencodable_image" | "engine_crashed" | "busy" | "model_unavailable" | "deadline_exceeded" | "internal_error";
            /** @description Every wrong place in the request. */
            details: components["schemas"]["Fault"][];
            /** @description The same as the header `X-Request-Id`. */
            request_id: string;
        };
        /**
         * @description Add a border of one color.
         *
         *     The border is opaque; a transparent picture keeps its own transparency within it.
         * @example {
         *       "type": "extend",
         *       "top_in_px": 7,
         *       "bottom_in_px": 13,
         *       "left_in_px": 29,
         *       "right_in_px": 3,
         *       "hex_color": "#b03a2e"
         *     }
         * @example {
         *       "type": "extend",
         *       "top_in_px": 16,
         *       "bottom_in_px": 0,
         *       "left_in_px": 8,
         *       "right_in_px": 0,
         *       "hex_color": "#2266aa"
         *     }
         * @example {
         *       "type": "extend",
         *       "top_in_px": 24,
         *       "bottom_in_px": 8,
         *       "left_in_px": 16,
         *       "right_in_px": 40,
         *       "hex_color": "#2266aa"
         *     }
         */
        ExtendOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "extend";
            /** @description Rows to add at the top. */
            top_in_px: number;
            /** @description Rows to add at the bottom. */
            bottom_in_px: number;
            /** @description Columns to add at the left. */
            left_in_px: number;
            /** @description Columns to add at the right. */
            right_in_px: number;
            /** @description Color of the border, such as `#1a2b3c`. */
            hex_color: string;
        };
        /** @description Why a job failed, as its caller is told. */
        Failure: {
            message: string;
            code: string;
            /** @default [] */
            details?: components["schemas"]["Fault"][];
        };
        /** @description One wrong place in a request: its path, such as `operations[3].width_in_px`, and what is wrong there. */
        Fault: {
            path: string;
            message: string;
        };
        /** @description How a file is fetched from its URL. */
        FetchOptions: {
            /** @description Sent to the origin of the URL only, never along with a redirect. */
            auth?: (components["schemas"]["BearerAuth"] | components["schemas"]["BasicAuth"] | components["schemas"]["CustomHeaderAuth"]) | null | Record<string, never>;
            /** @description More request headers, sent to the origin of the URL only. */
            headers?: {
                [key: string]: string;
            } | null;
            /** @description A language tag such as `de-DE` (BCP 47), sent as `Accept-Language`. */
            locale?: string | null;
            /** @description The longest that the download may take. */
            timeout_ms?: number | null;
            /** @description Sent as `User-Agent`. */
            user_agent?: string | null;
            /**
             * @description Has no meaning for images.
             * @default false
             */
            should_render_javascript?: boolean | null;
        };
        /** @description Where the picture is. */
        File: components["schemas"]["UrlFile"] | components["schemas"]["Base64File"];
        /**
         * @description Mirror top to bottom.
         * @example {
         *       "type": "flip"
         *     }
         */
        FlipOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "flip";
        };
        /**
         * @description Mirror left to right.
         * @example {
         *       "type": "flop"
         *     }
         */
        FlopOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "flop";
        };
        /**
         * @description Brighten or darken the middle tones; black, white and alpha stay as they are.
         *
         *     Method: 255·(value/255)^(1/gamma) for each color value, from a table.
         * @example {
         *       "type": "gamma",
         *       "gamma": 2.17
         *     }
         * @example {
         *       "type": "gamma",
         *       "gamma": 0.47
         *     }
         */
        GammaOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "gamma";
            /** @description Below 1 darkens, above 1 brightens, 1 changes nothing. */
            gamma: number;
        };
        /**
         * @description Make the picture gray; alpha stays as it is.
         *
         *     Method: relative luminance with the weights of Rec. 709, summed in linear light and encoded as sRGB again.
         * @example {
         *       "type": "grayscale"
         *     }
         */
        GrayscaleOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "grayscale";
        };
        /**
         * @description Turn every color into its opposite, as a negative does; alpha stays as it is.
         *
         *     Method: 255 minus each color value.
         * @example {
         *       "type": "invert_colors"
         *     }
         */
        InvertColorsOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "invert_colors";
        };
        /** @description How the images of a bulk fare; `total` grows while the manifest is read. */
        Items: {
            total: number;
            done: number;
            failed: number;
        };
        /** @description One request that is answered later. */
        Job: {
            id: string;
            api: string;
            /** @enum {string} */
            status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            /** Format: date-time */
            created_at: string;
            /** @description When it was first worked on. */
            started_at: string | null;
            ended_at: string | null;
            /** @description How often it was worked on. */
            attempts: number;
            /** @description Not before when it is worked on again. */
            next_attempt_at: string | null;
            /** @description What it costs when it succeeds. */
            credits_held: number;
            /** @description Where the reply is sent, without its query. */
            webhook_url: string | null;
            /** @enum {string} */
            delivery: "bytes" | "link";
            /** @description The `X-Request-Id` of the request that handed it in. */
            request_id: string;
            /** @description Where the reply is, once it has succeeded. */
            result_url: string | null;
            /** @description Why it failed. */
            error: components["schemas"]["Failure"] | null;
            /** @description Of a bulk, asked for by its id, how its images fare. */
            items: components["schemas"]["Items"] | null;
        };
        /** @description One job of the caller's organization. */
        JobReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Job"];
        };
        /** @description Jobs, the latest first. */
        Jobs: {
            jobs: components["schemas"]["Job"][];
            /** @description The `before` that gives the jobs after these, if there are any. */
            next: string | null;
        };
        /** @description Jobs of the caller's organization. */
        JobsReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Jobs"];
        };
        /** @description The API key of the request. */
        Key: {
            id: string;
            name: string;
            expires_at: string | null;
        };
        /**
         * @description Change brightness, saturation and hue; at least one of them must be given.
         *
         *     Colors that leave sRGB on the way are clipped; alpha stays as it is.
         *
         *     Method: CIE LCh at D65: lightness and chroma are multiplied, the hue is turned. The turn is done as a rotation of
         *     a and b in CIE Lab, which is the same and spares two conversions.
         * @example {
         *       "type": "modulate",
         *       "brightness": 1.13,
         *       "saturation": 0.73,
         *       "hue": -47
         *     }
         * @example {
         *       "type": "modulate",
         *       "hue": 473
         *     }
         * @example {
         *       "type": "modulate",
         *       "brightness": 0.87,
         *       "saturation": 1.61
         *     }
         */
        ModulateOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "modulate";
            /** @description Multiplies the lightness; 1 leaves it unchanged. */
            brightness?: number | null;
            /** @description Multiplies the chroma; 1 leaves it unchanged, 0 makes gray. */
            saturation?: number | null;
            /** @description Turns the hue by so many degrees, in either direction. */
            hue?: number | null;
        } | {
            brightness: number;
        } | {
            saturation: number;
        } | {
            hue: number;
        };
        /** @description One of several outputs, under the name that the request gave it. */
        NamedPicture: {
            /** @description The file in padded standard base64. */
            buffer: string;
            /** @enum {string} */
            mime_type: "image/png" | "image/jpeg" | "image/webp" | "image/avif" | "image/heic" | "image/gif";
            width_in_px: number;
            height_in_px: number;
            size_in_bytes: number;
            name: string;
            metadata: components["schemas"]["OutputMetadata"];
        };
        /**
         * @description Make the picture more transparent; what is transparent already stays so.
         *
         *     Formats without transparency show the result on white.
         *
         *     Method: alpha times the percentage, rounded; colors stay as they are.
         * @example {
         *       "type": "opacity",
         *       "opacity_in_percent": 61
         *     }
         * @example {
         *       "type": "opacity",
         *       "opacity_in_percent": 37.3
         *     }
         */
        OpacityOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "opacity";
            /** @description 0 is invisible, 100 changes nothing. */
            opacity_in_percent: number;
        };
        /** @description One step of a transformation; `type` says which. */
        Operation: components["schemas"]["AutoContrastOperation"] | components["schemas"]["BlurOperation"] | components["schemas"]["CompressToSizeOperation"] | components["schemas"]["ConvertOperation"] | components["schemas"]["CropOperation"] | components["schemas"]["DenoiseOperation"] | components["schemas"]["ExtendOperation"] | components["schemas"]["FlipOperation"] | components["schemas"]["FlopOperation"] | components["schemas"]["GammaOperation"] | components["schemas"]["GrayscaleOperation"] | components["schemas"]["InvertColorsOperation"] | components["schemas"]["ModulateOperation"] | components["schemas"]["OpacityOperation"] | components["schemas"]["RemoveBackgroundOperation"] | components["schemas"]["RemoveTransparencyOperation"] | components["schemas"]["ResizeOperation"] | components["schemas"]["RotateOperation"] | components["schemas"]["SharpenOperation"] | components["schemas"]["SmartCropOperation"] | components["schemas"]["ThresholdOperation"] | components["schemas"]["TintOperation"] | components["schemas"]["TrimOperation"] | components["schemas"]["UpscaleOperation"];
        /** @description Done in their order; an empty list only encodes anew. */
        Operations: components["schemas"]["Operation"][];
        /** @description One picture. */
        OperationsRequest: {
            file: components["schemas"]["File"];
            operations: components["schemas"]["Operations"];
            /** @description Where the reply is sent: the request is accepted at once, and answered later. */
            webhook_url?: string | null;
            /**
             * @description Whether what is sent there holds the pictures, or links to them.
             * @default bytes
             * @enum {unknown}
             */
            delivery?: "bytes" | "link";
        };
        /** @description Who pays. */
        Organization: {
            id: string;
            name: string;
        };
        /** @description One of several pictures that are made of one source. */
        Output: {
            /** @description 1 to 64 letters, digits, `_` and `-`; no two of a request may differ only in capitals. */
            name: string;
            operations: components["schemas"]["Operations"];
        };
        /** @description What operations chose by themselves on the way to one output, and the way itself. */
        OutputMetadata: {
            smart_crops: components["schemas"]["SmartCrop"][];
            /** @description How the picture was made, for people: decoding, every step, and encoding. */
            plan: string[];
        };
        /** @description All made of the source as it was fetched and decoded once. */
        Outputs: components["schemas"]["Output"][];
        /** @description The pictures that `outputs` asked for. */
        OutputsReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Pictures"];
            metadata: components["schemas"]["TransformMetadata"];
        };
        /** @description Several pictures of one source. */
        OutputsRequest: {
            file: components["schemas"]["File"];
            outputs: components["schemas"]["Outputs"];
            /** @description Where the reply is sent: the request is accepted at once, and answered later. */
            webhook_url?: string | null;
            /**
             * @description Whether what is sent there holds the pictures, or links to them.
             * @default bytes
             * @enum {unknown}
             */
            delivery?: "bytes" | "link";
        };
        /** @description One finished file. */
        Picture: {
            /** @description The file in padded standard base64. */
            buffer: string;
            /** @enum {string} */
            mime_type: "image/png" | "image/jpeg" | "image/webp" | "image/avif" | "image/heic" | "image/gif";
            width_in_px: number;
            height_in_px: number;
            size_in_bytes: number;
        };
        /** @description What is to be known of one transform with one output. */
        PictureMetadata: {
            /** @description The same as the header `X-Request-Id`. */
            request_id: string;
            source: components["schemas"]["SourceMetadata"];
            /** @description What was ignored or mended, with its place in the request. */
            warnings: string[];
            /** @description In credits; failed requests cost nothing. */
            credits_charged: number;
            /** @description Time at each stop, such as `decode`. */
            timings_in_ms: {
                [key: string]: number;
            };
            smart_crops: components["schemas"]["SmartCrop"][];
            /** @description How the picture was made, for people: decoding, every step, and encoding. */
            plan: string[];
        };
        /** @description The picture that a list of `operations` made. */
        PictureReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Picture"];
            metadata: components["schemas"]["PictureMetadata"];
        };
        /** @description Several outputs, in the order of the request. */
        Pictures: {
            outputs: components["schemas"]["NamedPicture"][];
        };
        /** @description Engines and database answer. */
        Ready: {
            /** @constant */
            status: "ready";
            engines: number;
        };
        /** @description Engines and database answer. */
        ReadyReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Ready"];
        };
        /**
         * @description Cut out what stands in front: the background becomes transparent, or one color.
         *
         *     It is filled where a color is given, and with white where the format in effect can't be transparent (JPEG, GIF).
         *     The colors of hair and edges are freed of the background that shone through.
         *
         *     Method: U²-Net says what is in front; a local color model says where exactly, at full size (`models/matting.py`).
         *     Errors: model_unavailable.
         * @example {
         *       "type": "remove_background"
         *     }
         * @example {
         *       "type": "remove_background",
         *       "background_hex_color": "#c83c28"
         *     }
         */
        RemoveBackgroundOperation: {
            /** @constant */
            type: "remove_background";
            /** @description An RGB color such as `#1a2b3c` for the background; the `#` may be left out. */
            background_hex_color?: string | null;
            /** @description Another name of `background_hex_color`, which goes first. */
            hex_color?: unknown;
        } & (({
            background_hex_color: string;
        } | {
            background_hex_color?: null;
            hex_color: string;
        } | {
            background_hex_color?: null;
            hex_color?: null;
        }) & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "remove_background";
        });
        /**
         * @description Lay the picture on a color; without transparency it stays as it is.
         *
         *     Method: the operator "over" of Porter and Duff, "Compositing Digital Images", 1984.
         * @example {
         *       "type": "remove_transparency",
         *       "hex_color": "#2a6b1f"
         *     }
         * @example {
         *       "type": "remove_transparency",
         *       "hex_color": "fff"
         *     }
         */
        RemoveTransparencyOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "remove_transparency";
            /** @description An RGB color such as `#1a2b3c`; the `#` may be left out. */
            hex_color: string;
        };
        /**
         * @description Scale the picture to a box.
         *
         *     `cover` fills the box and cuts what hangs over, `contain` fits inside and pads, `fill` stretches, `inside` only
         *     ever shrinks to fit, `outside` only ever enlarges to cover. Padding is black unless `hex_color` says otherwise.
         *
         *     Method: libvips `resize` with Lanczos3, premultiplied; enlarging is bicubic.
         * @example {
         *       "type": "resize",
         *       "width_in_px": 121,
         *       "height_in_px": 83,
         *       "fit": "cover"
         *     }
         * @example {
         *       "type": "resize",
         *       "width_in_px": 121,
         *       "height_in_px": 97,
         *       "fit": "contain",
         *       "hex_color": "#2266aa"
         *     }
         * @example {
         *       "type": "resize",
         *       "width_in_px": 73,
         *       "height_in_px": 121,
         *       "fit": "fill"
         *     }
         * @example {
         *       "type": "resize",
         *       "width_in_px": 121,
         *       "height_in_px": 473,
         *       "fit": "inside"
         *     }
         * @example {
         *       "type": "resize",
         *       "width_in_px": 61,
         *       "height_in_px": 139,
         *       "fit": "outside"
         *     }
         */
        ResizeOperation: {
            /** @constant */
            type: "resize";
            /** @description Width of the box. */
            width_in_px?: number | null;
            /** @description Another name of `width_in_px`, which goes first. */
            width?: unknown;
            /** @description Height of the box. */
            height_in_px?: number | null;
            /** @description Another name of `height_in_px`, which goes first. */
            height?: unknown;
            /**
             * @description How the picture meets the box.
             * @enum {string}
             */
            fit: "cover" | "contain" | "fill" | "inside" | "outside";
            /**
             * @description Which part `cover` keeps: the middle, or what draws the eye.
             * @default center
             * @enum {string|null}
             */
            position?: "center" | "smart_crop" | null;
            /**
             * @description Padding color of `contain`.
             * @default #000000
             */
            hex_color?: string | null;
        } & (({
            width_in_px: number;
        } | {
            width_in_px?: null;
            width: number;
        }) & ({
            height_in_px: number;
        } | {
            height_in_px?: null;
            height: number;
        }) & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "resize";
        });
        /** @description What came of a job. */
        ResultReply: components["schemas"]["PictureReply"] | components["schemas"]["OutputsReply"] | components["schemas"]["BulkReply"];
        /**
         * @description Turn the picture clockwise.
         *
         *     Right angles are exact. Any other angle lets the canvas grow until the whole picture fits, and fills the corners
         *     with an opaque color.
         *
         *     Method: bicubic about the center, premultiplied (libvips `affine`).
         * @example {
         *       "type": "rotate",
         *       "angle_in_degrees": 90
         *     }
         * @example {
         *       "type": "rotate",
         *       "angle_in_degrees": -90
         *     }
         * @example {
         *       "type": "rotate",
         *       "angle_in_degrees": 540
         *     }
         * @example {
         *       "type": "rotate",
         *       "angle_in_degrees": 33.7,
         *       "hex_color": "#2266aa"
         *     }
         * @example {
         *       "type": "rotate",
         *       "angle_in_degrees": -101.3,
         *       "hex_color": "#f4d03f"
         *     }
         */
        RotateOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "rotate";
            /** @description Clockwise angle; it may be negative or more than a whole turn. */
            angle_in_degrees: number;
            /**
             * @description Color of the corners, such as `#1a2b3c`.
             * @default #000000
             */
            hex_color?: string | null;
        };
        /**
         * @description Sharpen edges and texture.
         *
         *     Edges are sharpened twice as much as fine texture and noise, and never so far that they get a rim. Transparency
         *     stays as it is, and colors that lie hidden under it have no influence.
         *
         *     Method: unsharp mask on luma; the difference to a Gaussian blur goes through the curve of libvips `sharpen` and is
         *     added to every color band.
         * @example {
         *       "type": "sharpen",
         *       "sigma": 0.5
         *     }
         * @example {
         *       "type": "sharpen",
         *       "sigma": 1.3
         *     }
         * @example {
         *       "type": "sharpen",
         *       "sigma": 7.1
         *     }
         */
        SharpenOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "sharpen";
            /** @description Standard deviation of the blur in pixels; 0.5 to 2 is usual. */
            sigma: number;
        };
        /** @description Which window an operation of the request chose, and why; in pixels of the upright picture that reached it. */
        SmartCrop: {
            operation_index: number;
            rule: string;
            window: components["schemas"]["Window"];
            subjects: components["schemas"]["Subject"][];
            fallback_reason: string | null;
        };
        /**
         * @description Scale and cut to exactly this size, keeping whom or what the picture is of.
         *
         *     Faces come before people, people before animals, animals before objects; without any of them what draws the eye
         *     decides. No face is cut where a window can avoid it, and heads keep room above them. Without `zoom` the window is
         *     the largest of its ratio; an image never fails for want of a subject.
         *
         *     Method: YuNet finds faces and PicoDet people, animals and objects on a small copy; among the windows of the ratio
         *     the one is taken that keeps most of what matters (`pixels/composition.py`).
         * @example {
         *       "type": "smart_crop",
         *       "width_in_px": 61,
         *       "height_in_px": 121
         *     }
         * @example {
         *       "type": "smart_crop",
         *       "width_in_px": 121,
         *       "height_in_px": 53
         *     }
         */
        SmartCropOperation: {
            /** @constant */
            type: "smart_crop";
            /** @description Exact width. */
            width_in_px?: number | null;
            /** @description Another name of `width_in_px`, which goes first. */
            width?: unknown;
            /** @description Exact height. */
            height_in_px?: number | null;
            /** @description Another name of `height_in_px`, which goes first. */
            height?: unknown;
            /** @description How tight around the subject: 0 the largest window, 1 the subject with a margin. */
            zoom?: number | null;
            /**
             * @description The one kind of subject that may decide.
             * @enum {string|null}
             */
            subject?: "face" | "person" | "animal" | "object" | null;
        } & (({
            width_in_px: number;
        } | {
            width_in_px?: null;
            width: number;
        }) & ({
            height_in_px: number;
        } | {
            height_in_px?: null;
            height: number;
        }) & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "smart_crop";
        });
        /** @description What the bytes of the source say; the size is that of the upright picture. */
        SourceMetadata: {
            /** @enum {string} */
            format: "jpeg" | "png" | "webp" | "gif" | "avif" | "heif" | "svg" | "tiff" | "bmp";
            width_in_px: number;
            height_in_px: number;
            size_in_bytes: number;
        };
        /** @description Something that was seen in a picture: a face, a person, an animal, an object. */
        Subject: {
            kind: string;
            confidence: number;
            box: components["schemas"]["Window"];
        };
        /**
         * @description Turn every pixel white or black.
         *
         *     What is at least the value becomes white, the rest black. Transparency stays as it is.
         *
         *     Method: the gray level is the luminance of sRGB, encoded back to sRGB (libvips `colourspace`).
         * @example {
         *       "type": "threshold",
         *       "value": 131
         *     }
         * @example {
         *       "type": "threshold",
         *       "value": 113,
         *       "is_grayscale": false
         *     }
         * @example {
         *       "type": "threshold",
         *       "value": 97,
         *       "is_grayscale": true
         *     }
         */
        ThresholdOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "threshold";
            /** @description The lowest level that becomes white. */
            value: number;
            /**
             * @description Whether the gray level decides; otherwise red, green and blue each for themselves.
             * @default true
             */
            is_grayscale?: boolean | null;
        };
        /**
         * @description Color the picture in shades of one color and keep its luminance.
         *
         *     Only the chroma of the color counts. Black and white stay black and white; alpha stays as it is.
         *
         *     Method: CIE Lab at D65: L is the pixel's, a and b are the color's, fading out toward black and white by the weight
         *     of Sharp, 4·(L/100)·(1 - L/100). Where sRGB has no such color, the chroma gives way until it has, so that the
         *     luminance is kept. As L follows from the gray value alone, this is one table of 256 colors.
         * @example {
         *       "type": "tint",
         *       "hex_color": "#704214"
         *     }
         * @example {
         *       "type": "tint",
         *       "hex_color": "e1173d"
         *     }
         * @example {
         *       "type": "tint",
         *       "hex_color": "#2a6"
         *     }
         */
        TintOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "tint";
            /** @description An RGB color such as `#1a2b3c`; the `#` may be left out. */
            hex_color: string;
        };
        /** @description The same as a form: the picture as a file, `operations` or `outputs` as JSON. */
        TransformForm: {
            /** @description The picture, as a part with a filename. */
            file: string;
            operations?: components["schemas"]["Operations"];
            outputs?: components["schemas"]["Outputs"];
            /**
             * Format: uri
             * @description Where the reply is sent: the request is accepted at once, and answered later.
             */
            webhook_url?: string;
            /**
             * @description Whether what is sent there holds the pictures, or links to them.
             * @default bytes
             * @enum {unknown}
             */
            delivery?: "bytes" | "link";
        } & (unknown | unknown);
        /** @description What is to be known of one transform. */
        TransformMetadata: {
            /** @description The same as the header `X-Request-Id`. */
            request_id: string;
            source: components["schemas"]["SourceMetadata"];
            /** @description What was ignored or mended, with its place in the request. */
            warnings: string[];
            /** @description In credits; failed requests cost nothing. */
            credits_charged: number;
            /** @description Time at each stop, such as `decode`. */
            timings_in_ms: {
                [key: string]: number;
            };
        };
        /** @description One picture, or one for each of the `outputs`. */
        TransformReply: components["schemas"]["PictureReply"] | components["schemas"]["OutputsReply"];
        /** @description What is to be made of a picture. */
        TransformRequest: components["schemas"]["OperationsRequest"] | components["schemas"]["OutputsRequest"];
        /**
         * @description Cut away borders that have the color of the top left pixel.
         *
         *     Transparent borders are cut as well, whatever color hides in them. A picture that is all border stays whole. In an
         *     animation the border is what stays border in every frame.
         *
         *     Method: the smallest rectangle that holds every pixel of which a band differs from the top left pixel by more than
         *     the threshold; with alpha, all bands are compared, premultiplied.
         * @example {
         *       "type": "trim",
         *       "threshold": 7
         *     }
         * @example {
         *       "type": "trim",
         *       "threshold": 43.5
         *     }
         */
        TrimOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "trim";
            /** @description How far, of 255, a band of a border pixel may lie from the top left pixel. */
            threshold: number;
        };
        /**
         * @description Enlarge two, three or four times, with detail that a network makes up as photos have it.
         *
         *     Method: Real-ESRGAN general x4 v3 on overlapping tiles, held to the picture by back-projection; two and three times
         *     are made of four times by Lanczos. Transparency is enlarged by Catmull-Rom. It takes about 20 seconds of CPU for
         *     a megapixel.
         *     Errors: model_unavailable, image_too_large, deadline_exceeded.
         * @example {
         *       "type": "upscale",
         *       "factor": 2
         *     }
         * @example {
         *       "type": "upscale",
         *       "factor": 3
         *     }
         */
        UpscaleOperation: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "upscale";
            /**
             * @description How many times larger.
             * @enum {integer}
             */
            factor: 2 | 3 | 4;
        };
        /** @description A file that the server fetches. */
        UrlFile: {
            /**
             * @description May be left out.
             * @enum {unknown}
             */
            type?: "url" | null;
            /**
             * Format: uri
             * @description An https address on the public internet. Redirects are followed, and judged the same.
             */
            url: string;
            /** @description A file has either `url` or `base64`. */
            base64?: null;
            /** @description A hint only; the bytes decide. */
            name?: string | null;
            /** @description How to fetch a file from its URL. */
            fetch_options?: components["schemas"]["FetchOptions"] | null;
        };
        /** @description What was used from one day to another, both included. */
        Usage: {
            /** Format: date */
            since: string;
            /** Format: date */
            until: string;
            usage: components["schemas"]["DayOfUse"][];
        };
        /** @description The usage of the caller's organization. */
        UsageReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["Usage"];
        };
        /** @description A key of the organization. */
        UsedKey: {
            id: string;
            name: string;
        };
        /** @description A secret that webhooks are signed with. */
        WebhookSecret: {
            /** @description `whsec_` and base64, as the libraries of Standard Webhooks take it. */
            secret: string;
            /** Format: date-time */
            created_at: string;
            /** @description Until when it signs beside the current one, which has no such end. */
            signs_until: string | null;
        };
        /** @description All secrets that sign now, the current one first. */
        WebhookSecrets: {
            secrets: components["schemas"]["WebhookSecret"][];
        };
        /** @description What the webhooks of the caller's organization are signed with. */
        WebhookSecretsReply: {
            /**
             * @description Whether the request was answered with what it asked for.
             * @constant
             */
            success: true;
            data: components["schemas"]["WebhookSecrets"];
        };
        /** @description A part of a picture, in its pixels. */
        Window: {
            left_in_px: number;
            top_in_px: number;
            width_in_px: number;
            height_in_px: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AcceptedReply = components['schemas']['AcceptedReply'];
export type Account = components['schemas']['Account'];
export type AccountReply = components['schemas']['AccountReply'];
export type Alive = components['schemas']['Alive'];
export type AliveReply = components['schemas']['AliveReply'];
export type AutoContrastOperation = components['schemas']['AutoContrastOperation'];
export type Base64File = components['schemas']['Base64File'];
export type BasicAuth = components['schemas']['BasicAuth'];
export type BearerAuth = components['schemas']['BearerAuth'];
export type BlurOperation = components['schemas']['BlurOperation'];
export type BulkReply = components['schemas']['BulkReply'];
export type BulkRequest = components['schemas']['BulkRequest'];
export type CompressToSizeOperation = components['schemas']['CompressToSizeOperation'];
export type ConvertOperation = components['schemas']['ConvertOperation'];
export type CropOperation = components['schemas']['CropOperation'];
export type CustomHeaderAuth = components['schemas']['CustomHeaderAuth'];
export type DayOfUse = components['schemas']['DayOfUse'];
export type Deliveries = components['schemas']['Deliveries'];
export type DeliveriesReply = components['schemas']['DeliveriesReply'];
export type Delivery = components['schemas']['Delivery'];
export type DeliveryAttempt = components['schemas']['DeliveryAttempt'];
export type DeliveryReply = components['schemas']['DeliveryReply'];
export type DenoiseOperation = components['schemas']['DenoiseOperation'];
export type ErrorReply = components['schemas']['ErrorReply'];
export type ExtendOperation = components['schemas']['ExtendOperation'];
export type Failure = components['schemas']['Failure'];
export type Fault = components['schemas']['Fault'];
export type FetchOptions = components['schemas']['FetchOptions'];
export type File = components['schemas']['File'];
export type FlipOperation = components['schemas']['FlipOperation'];
export type FlopOperation = components['schemas']['FlopOperation'];
export type GammaOperation = components['schemas']['GammaOperation'];
export type GrayscaleOperation = components['schemas']['GrayscaleOperation'];
export type InvertColorsOperation = components['schemas']['InvertColorsOperation'];
export type Items = components['schemas']['Items'];
export type Job = components['schemas']['Job'];
export type JobReply = components['schemas']['JobReply'];
export type Jobs = components['schemas']['Jobs'];
export type JobsReply = components['schemas']['JobsReply'];
export type Key = components['schemas']['Key'];
export type ModulateOperation = components['schemas']['ModulateOperation'];
export type NamedPicture = components['schemas']['NamedPicture'];
export type OpacityOperation = components['schemas']['OpacityOperation'];
export type Operation = components['schemas']['Operation'];
export type Operations = components['schemas']['Operations'];
export type OperationsRequest = components['schemas']['OperationsRequest'];
export type Organization = components['schemas']['Organization'];
export type Output = components['schemas']['Output'];
export type OutputMetadata = components['schemas']['OutputMetadata'];
export type Outputs = components['schemas']['Outputs'];
export type OutputsReply = components['schemas']['OutputsReply'];
export type OutputsRequest = components['schemas']['OutputsRequest'];
export type Picture = components['schemas']['Picture'];
export type PictureMetadata = components['schemas']['PictureMetadata'];
export type PictureReply = components['schemas']['PictureReply'];
export type Pictures = components['schemas']['Pictures'];
export type Ready = components['schemas']['Ready'];
export type ReadyReply = components['schemas']['ReadyReply'];
export type RemoveBackgroundOperation = components['schemas']['RemoveBackgroundOperation'];
export type RemoveTransparencyOperation = components['schemas']['RemoveTransparencyOperation'];
export type ResizeOperation = components['schemas']['ResizeOperation'];
export type ResultReply = components['schemas']['ResultReply'];
export type RotateOperation = components['schemas']['RotateOperation'];
export type SharpenOperation = components['schemas']['SharpenOperation'];
export type SmartCrop = components['schemas']['SmartCrop'];
export type SmartCropOperation = components['schemas']['SmartCropOperation'];
export type SourceMetadata = components['schemas']['SourceMetadata'];
export type Subject = components['schemas']['Subject'];
export type ThresholdOperation = components['schemas']['ThresholdOperation'];
export type TintOperation = components['schemas']['TintOperation'];
export type TransformForm = components['schemas']['TransformForm'];
export type TransformMetadata = components['schemas']['TransformMetadata'];
export type TransformReply = components['schemas']['TransformReply'];
export type TransformRequest = components['schemas']['TransformRequest'];
export type TrimOperation = components['schemas']['TrimOperation'];
export type UpscaleOperation = components['schemas']['UpscaleOperation'];
export type UrlFile = components['schemas']['UrlFile'];
export type Usage = components['schemas']['Usage'];
export type UsageReply = components['schemas']['UsageReply'];
export type UsedKey = components['schemas']['UsedKey'];
export type WebhookSecret = components['schemas']['WebhookSecret'];
export type WebhookSecrets = components['schemas']['WebhookSecrets'];
export type WebhookSecretsReply = components['schemas']['WebhookSecretsReply'];
export type Window = components['schemas']['Window'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
